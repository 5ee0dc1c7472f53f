/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The transitions of this network namespace, or its connections as they close, for any number of readers. The tracker
 * behind them exists only while there are readers, and for FEED_LINGER seconds after.
 */
#ifndef SYNWARDEN_ENDPOINT_FEED_H
#define SYNWARDEN_ENDPOINT_FEED_H

#include "types.h"

#define FEED_LINGER 10 /* seconds: loading a tracker takes a good part of one */

struct feed;

/* The tracker outlives its last reader by linger_seconds. -1 after a message. */
int feed__start(struct feed **feed, enum stream_kind kind, unsigned linger_seconds);

/* Ends the tracker, and the readers' streams. Accepts NULL. */
void feed__stop(struct feed *feed);
/* To be called after all readers are closed. Accepts NULL. */
void feed__free(struct feed *feed);

#endif
