/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of two snapshots as rates, and rates as texts.
 */
#ifndef SYNWARDEN_TOP_RATES_H
#define SYNWARDEN_TOP_RATES_H

#include "kernel/snapshot.h"
#include "text/print.h"

#define RATE_UNKNOWN (-1.0)

struct rates {
	const struct snapshot *before; /* NULL: none yet, no rate is known */
	const struct snapshot *now;
};

/* Time between the two snapshots; 0 if there is only one. */
double rates__seconds(const struct rates *rates);
/* Rate of a counter with these values in the two snapshots; RATE_UNKNOWN without a time between, or if it decreased. */
double rates__of(const struct rates *rates, uint64_t before, uint64_t now);

/* As of print_short(), to a tenth below 1 ("0.3", "<0.1"); "-" if it is unknown. */
char *rates__text(char buf[PRINT_NUMBER_LEN], double rate);

#endif
