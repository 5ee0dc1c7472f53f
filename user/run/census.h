/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The census: the kernel's socket tables, counted at a bounded cost, and listeners that are gone.
 */
#ifndef SYNWARDEN_RUN_CENSUS_H
#define SYNWARDEN_RUN_CENSUS_H

#include <stdint.h>

#include "kernel/programs.h"
#include "run/motion.h"
#include "run/reconcile.h"

struct census_clock {
	uint64_t next_ns;    /* CLOCK_MONOTONIC, not before; 0: at once */
	uint64_t settled_ns; /* until then the next one finds the same, unless something moves */
	struct motion seen;  /* before the last one */
	struct reconcile reconcile;
};

/*
 * Takes a census if one is due. None is while it could only find what the last one found: no segment came, no state
 * changed, and no timer ends a socket. At most one part in a hundred of the time is spent on it, so that a machine with
 * a million sockets is counted less often than one with a hundred. Where it contradicts the transitions that were seen,
 * the difference is added to struct census.unseen. 0, or -1 after a message.
 */
int census__take(struct programs *programs, struct census_clock *clock);
/* What it counts by port has changed: the next census is taken though nothing moves. */
void census__unsettle(struct census_clock *clock);
/* To be called before the filter gets other rules, under which other SYNs have left half-open connections: until the
 * next census, which is due at once, it looks up connections of all sources. 0, or -1 after a message. */
int census__begin_anew(const struct programs *programs, struct census_clock *clock);

#endif
