/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of two snapshots as rates, and numbers as texts that fit a column.
 */
#ifndef SYNWARDEN_RATES_H
#define SYNWARDEN_RATES_H

#include "print.h"
#include "snapshot.h"

#define RATE_UNKNOWN (-1.0)

struct rates {
	const struct snapshot *before; /* NULL: there is none yet, and no rate is known */
	const struct snapshot *now;
};

/* Between the two; 0 where there is one only. */
double rates__seconds(const struct rates *rates);
/* Of a counter: what it was and is. RATE_UNKNOWN without a time between, or where it went back. */
double rates__of(const struct rates *rates, uint64_t before, uint64_t now);

/* Exactly if `width` characters suffice ("48,210", "48210"), else three digits or fewer ("48.2k", "48k"). */
char *rates__count(char buf[PRINT_NUMBER_LEN], uint64_t n, int width);
/* The same of a rate, to a tenth where it is below 1 ("0.3", "<0.1"); "-" where it is unknown. */
char *rates__text(char buf[PRINT_NUMBER_LEN], double rate, int width);

#endif
