/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP endpoint: /metrics for Prometheus, /api/ and /events for other programs, /healthz and an index page. Runs in
 * threads of its own and only reads, so that a scrape holds up nobody.
 */
#ifndef SYNWARDEN_METRICS_H
#define SYNWARDEN_METRICS_H

#include <stdio.h>

#include "guard.h"
#include "http.h"
#include "snapshot.h"

struct metrics;

/* Serves what `guard` counts; it needs GUARD_LISTS. *metrics is NULL, and 0 returned, where `options->at.off`. -1
 * after a message. */
int metrics__start(struct metrics **metrics, const struct http_options *options, struct guard *guard);
/* Waits for answers under way. Accepts NULL. */
void metrics__stop(struct metrics *metrics);

enum metrics_format {
	METRICS_TEXT,	     /* Prometheus text, 0.0.4 */
	METRICS_OPENMETRICS, /* 1.0.0 */
};

void metrics__render(FILE *out, const struct snapshot *snapshot, enum metrics_format format);

#endif
