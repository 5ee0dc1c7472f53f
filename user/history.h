/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of SYNs in the last minutes, a sample a second, for those who look only now.
 */
#ifndef SYNWARDEN_HISTORY_H
#define SYNWARDEN_HISTORY_H

#include <stdio.h>

#include "snapshot.h"

#define HISTORY_SAMPLES 301 /* five minutes lie between the first and the last */

struct history;

/* NULL after a message. */
struct history *history__make(void);
void history__add(struct history *history, const struct snapshot *snapshot);
/* An array of counters as they stood, the oldest first. From any thread. */
void history__json(FILE *out, struct history *history);
/* Accepts NULL. */
void history__free(struct history *history);

#endif
