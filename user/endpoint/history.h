/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples of the last five minutes, one a second, for a dashboard that is opened later.
 */
#ifndef SYNWARDEN_ENDPOINT_HISTORY_H
#define SYNWARDEN_ENDPOINT_HISTORY_H

#include <stdio.h>

#include "kernel/snapshot.h"

#define HISTORY_SAMPLES 301 /* five minutes lie between the first and the last */

struct history;

/* NULL after a message. */
struct history *history__make(void);
void history__add(struct history *history, const struct snapshot *snapshot);
/* Writes an array of samples, the oldest first. From any thread. */
void history__json(FILE *out, struct history *history);
/* Accepts NULL. */
void history__free(struct history *history);

#endif
