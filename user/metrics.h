/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP endpoint: the dashboard for people, /metrics for Prometheus, /api/ and the streams of events for other
 * programs, /healthz. Runs in threads of its own and only reads, so that a scrape holds up nobody.
 */
#ifndef SYNWARDEN_METRICS_H
#define SYNWARDEN_METRICS_H

#include <stdio.h>

#include "guard.h"
#include "http.h"
#include "snapshot.h"

struct metrics;

/* Does what may need rights, or fail for want of a file or a port; starts no thread. *metrics is NULL, and 0 returned,
 * where `options->at.off`. -1 after a message. */
int metrics__open(struct metrics **metrics, const struct http_options *options);
/* Serves what `guard` counts, which needs GUARD_LISTS, in threads. Accepts NULL. -1 after a message. */
int metrics__serve(struct metrics *metrics, struct guard *guard);
/* Once a second, from the thread that judges: for the history. Accepts NULL. */
void metrics__note(struct metrics *metrics, const struct snapshot *snapshot);
/* Waits for answers under way. Accepts NULL. */
void metrics__stop(struct metrics *metrics);

enum metrics_format {
	METRICS_TEXT,	     /* Prometheus text, 0.0.4 */
	METRICS_OPENMETRICS, /* 1.0.0 */
};

void metrics__render(FILE *out, const struct snapshot *snapshot, enum metrics_format format);

#endif
