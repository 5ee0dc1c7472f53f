/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as text and JSON: the same on the command line, in the log, and over HTTP.
 */
#ifndef SYNWARDEN_OUTPUT_EVENT_SHOW_H
#define SYNWARDEN_OUTPUT_EVENT_SHOW_H

#include <stdio.h>

#include "output/event_log.h"

#define EVENT_FIGURES_LEN 384

/* "1m25s, peak 20,110 SYN/s, average 19,950 SYN/s, 1,700,000 SYNs (95 % challenged), about 212,000 sources, ..." */
char *event_show__figures(char buf[EVENT_FIGURES_LEN], const struct log_event *event);
/* "2026-01-02T03:04:05Z  #12  attack on port 80: ..." */
void event_show__text(FILE *out, const struct log_event *event);
/* An object, with a newline. */
void event_show__json(FILE *out, const struct log_event *event);

#endif
