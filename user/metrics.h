/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP endpoint: /metrics (Prometheus text format 0.0.4), /healthz and an index page. Runs in a thread of its own
 * and only reads maps, so that a scrape holds up nobody.
 */
#ifndef SYNWARDEN_METRICS_H
#define SYNWARDEN_METRICS_H

#include <stdio.h>

#include "maps.h"
#include "options.h"
#include "snapshot.h"

struct metrics;

/* Serves what `maps` hold. *metrics is NULL, and 0 returned, where `at->off`. -1 after a message. */
int metrics__start(struct metrics **metrics, const struct listen_at *at, const struct maps *maps);
/* Waits for answers under way. Accepts NULL. */
void metrics__stop(struct metrics *metrics);

void metrics__render(FILE *out, const struct snapshot *snapshot);

#endif
