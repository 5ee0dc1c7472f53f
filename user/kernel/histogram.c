// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums over the slots, whose edges are the powers of two in microseconds.
 */
#include <stddef.h>

#include "kernel/histogram.h"

uint64_t histogram__count(const struct histogram *histogram)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_SLOTS; i++)
		count += histogram->slots[i];
	return count;
}

uint64_t histogram__quantile(const struct histogram *histogram, double q)
{
	uint64_t count = histogram__count(histogram), below = 0;
	size_t i;

	if (!count)
		return DURATION_UNKNOWN;
	for (i = 0; i < HIST_SLOTS - 1; i++) {
		below += histogram->slots[i];
		if (below >= q * count)
			break;
	}
	return (2ULL << i) * 1000;
}
