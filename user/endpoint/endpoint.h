/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module endpoint is what the HTTP server serves. It may include stream, server, output, kernel, config, system and
 * text.
 *
 * The HTTP endpoint: the dashboard for people, /metrics for Prometheus, /api/ and the streams of events for other
 * programs, /healthz. Runs in threads of its own and only reads, so that a scrape holds up nobody.
 */
#ifndef SYNWARDEN_ENDPOINT_ENDPOINT_H
#define SYNWARDEN_ENDPOINT_ENDPOINT_H

#include <stdio.h>

#include "kernel/programs.h"
#include "kernel/snapshot.h"
#include "output/event_log.h"
#include "server/server.h"

struct metrics;

/* Does everything that needs privileges, a file or a port; starts no thread. If `options->at.off`, *metrics is NULL and
 * 0 is returned. -1 after a message. */
int endpoint__open(struct metrics **metrics, const struct server_options *options);
/* Serves what `programs` counts, which needs PROGRAMS_LISTS, and the events of `log`, in threads. Accepts NULL. -1
 * after a message. */
int endpoint__serve(struct metrics *metrics, struct programs *programs, struct event_log *log);
/* Once a second, from the thread that judges: for the history, and for what is tried again. Accepts NULL. */
void endpoint__note(struct metrics *metrics, const struct snapshot *snapshot);
/* Why it does not serve, as long as its address is taken or absent; NULL where it serves, or is off. Accepts NULL. */
const char *endpoint__why_not(const struct metrics *metrics);
/* Waits for answers under way. Accepts NULL. */
void endpoint__stop(struct metrics *metrics);

enum metrics_format {
	METRICS_TEXT,	     /* Prometheus text, 0.0.4 */
	METRICS_OPENMETRICS, /* 1.0.0 */
};

void metrics__render(FILE *out, const struct snapshot *snapshot, enum metrics_format format);
/* A table of the metrics: name, type, labels, help. -1 with errno: out of memory. */
int metrics__reference(FILE *out);

#endif
