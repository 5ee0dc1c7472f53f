/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples of what the ports' counters were, for a dashboard that is opened later: of all ports together for a day, of
 * each port for an hour. They are of this process: a restart begins anew.
 */
#ifndef SYNWARDEN_ENDPOINT_HISTORY_H
#define SYNWARDEN_ENDPOINT_HISTORY_H

#include <stdint.h>
#include <stdio.h>

#include "kernel/snapshot.h"

/* Rows: enum name, name, seconds between two samples, samples: the span lies between the first and the last. */
#define HISTORY_SPANS(X)                                                                                               \
	X(MINUTES, "5m", 1, 301)                                                                                       \
	X(HOUR, "1h", 10, 361)                                                                                         \
	X(DAY, "24h", 60, 1441)

#define HISTORY_LONGEST	     1441
#define HISTORY_PORT_SECONDS 30 /* of a port */
#define HISTORY_PORT_SAMPLES 121

enum history_span {
#define X(name, ...) HISTORY_##name,
	HISTORY_SPANS(X)
#undef X
		HISTORY_SPAN_MAX,
};

struct history;

/* NULL after a message. */
struct history *history__make(void);
/* Once a second. */
void history__add(struct history *history, const struct snapshot *snapshot);
/* Writes an array of samples, the oldest first. From any thread. */
void history__json(FILE *out, struct history *history, enum history_span span);
/*
 * Likewise of one port, counted from the first of them on; the last one is of the snapshot. None where the port has no
 * counters of its own.
 */
void history__port_json(FILE *out, struct history *history, const struct snapshot *snapshot, uint16_t port);
/* HISTORY_SPAN_MAX: there is none of this name. */
enum history_span history__span(const char *name);
/* Accepts NULL. */
void history__free(struct history *history);

#endif
