/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module output turns snapshots and records into text and JSON. It may include kernel, config, system and text.
 *
 * A snapshot for people: the live line, the summary; and for programs: one JSON object.
 */
#ifndef SYNWARDEN_OUTPUT_SUMMARY_H
#define SYNWARDEN_OUTPUT_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "kernel/snapshot.h"

/* XDP mode on the interface with this number in `meta`: "native", "generic", or "gone". */
const char *summary__xdp_mode(const struct meta *meta, size_t interface);
/* Prints one line about what happened between two snapshots; false: nothing happened, nothing is printed. */
bool summary__live(FILE *out, const struct snapshot *before, const struct snapshot *now);
void summary__print(FILE *out, const struct snapshot *snapshot);
enum summary_ports {
	SUMMARY_ALL_PORTS,
	SUMMARY_MOVING_PORTS, /* without those of which nothing has changed for some seconds, and nothing is wrong */
};

/* `running`: a `run` is alive. */
void summary__json(FILE *out, const struct snapshot *snapshot, bool running, enum summary_ports ports);

#endif
