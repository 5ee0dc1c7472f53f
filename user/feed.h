/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The transitions of this network namespace, or its connections as they end, for any number of readers up to
 * FEED_READERS, as Server-Sent Events. They come from a tracker of their own, which is there only while somebody reads,
 * and a little longer.
 */
#ifndef SYNWARDEN_FEED_H
#define SYNWARDEN_FEED_H

#include "http.h"
#include "types.h"

#define FEED_READERS 8
#define FEED_LINGER  10 /* seconds: loading a tracker takes a good part of one */

struct feed;

/* The tracker outlives its last reader by linger_seconds. -1 after a message. */
int feed__start(struct feed **feed, enum stream_kind kind, unsigned linger_seconds);
/*
 * The functions of a struct http_stream. A reader that is further behind than the queue is long goes on later in it,
 * and is told how many events it has missed. All readers belong to one thread.
 */
void *feed__open(struct feed *feed, void (*wake)(void *who), void *who);
enum http_ready feed__ready(void *reader);
ssize_t feed__read(void *reader, char *to, size_t size);
void feed__close(void *reader);

/* Ends the tracker, and with it what readers read. Accepts NULL. */
void feed__stop(struct feed *feed);
/* When nobody reads any more. Accepts NULL. */
void feed__free(struct feed *feed);

#endif
