// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of two snapshots as rates, and rates as texts.
 */
#include <stdio.h>

#include "top/rates.h"

double rates__seconds(const struct rates *rates)
{
	return rates->before && rates->now->taken_ns > rates->before->taken_ns
		       ? (rates->now->taken_ns - rates->before->taken_ns) / 1e9
		       : 0;
}

double rates__of(const struct rates *rates, uint64_t before, uint64_t now)
{
	double seconds = rates__seconds(rates);

	return seconds > 0 && now >= before ? (now - before) / seconds : RATE_UNKNOWN;
}

char *rates__text(char buf[PRINT_NUMBER_LEN], double rate)
{
	if (rate < 0)
		snprintf(buf, PRINT_NUMBER_LEN, "-");
	else if (rate > 0 && rate < 0.1)
		snprintf(buf, PRINT_NUMBER_LEN, "<0.1");
	else if (rate > 0 && rate < 0.95)
		snprintf(buf, PRINT_NUMBER_LEN, "%.1f", rate);
	else
		print_short(buf, rate + 0.5);
	return buf;
}
