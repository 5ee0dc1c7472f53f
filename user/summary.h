/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot for people: the live line, the summary; and for programs: one JSON object.
 */
#ifndef SYNWARDEN_SUMMARY_H
#define SYNWARDEN_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "snapshot.h"

/* How the program runs on the interface with this number in `meta`: "native", "generic"; "gone" where there is none. */
const char *summary__xdp_mode(const struct meta *meta, size_t interface);
/* One line of what happened between two snapshots; false, and nothing printed, where nothing did. */
bool summary__live(FILE *out, const struct snapshot *before, const struct snapshot *now);
void summary__print(FILE *out, const struct snapshot *snapshot);
/* `running`: a `run` is alive. */
void summary__json(FILE *out, const struct snapshot *snapshot, bool running);

#endif
