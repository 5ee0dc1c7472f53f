/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The census: the kernel's own socket tables, counted at a bounded cost, and the listeners that are gone.
 */
#ifndef SYNWARDEN_CENSUS_H
#define SYNWARDEN_CENSUS_H

#include <stdint.h>

#include "guard.h"
#include "reconcile.h"

struct census_clock {
	uint64_t next_ns; /* CLOCK_MONOTONIC; 0: at once */
	struct reconcile reconcile;
};

/*
 * Takes a census if it is time. A machine with a million sockets is counted less often than one with a hundred: never
 * more than one part in a hundred of the time goes into it. Where it contradicts the transitions that were seen, the
 * difference is added to struct census.unseen. 0, or -1 after a message.
 */
int census__take(struct guard *guard, struct census_clock *clock);
/* The filter is going to have other rules, by which other SYNs have left half-open connections: until the next census,
 * which is due at once, it looks for connections of all sources. 0, or -1 after a message. */
int census__begin_anew(const struct guard *guard, struct census_clock *clock);

#endif
