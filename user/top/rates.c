// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of two snapshots as rates, and numbers as texts that fit a column. Counts are cut, never rounded up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Thousands, millions and so on, with two decimals, one, or none. */
static void shorten(char buf[PRINT_NUMBER_LEN], uint64_t n, int width)
{
	static const char units[] = "kMGTPE";
	const char *unit = units;
	unsigned thousandths;
	int decimals;

	for (; n >= 1000000; unit++)
		n /= 1000;
	thousandths = n % 1000;
	decimals = n < 10000 ? 2 : n < 100000 ? 1 : 0;
	do {
		if (decimals == 0)
			snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 "%c", n / 1000, *unit);
		else
			snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 ".%0*u%c", n / 1000, decimals,
				 thousandths / (decimals == 2 ? 10 : 100), *unit);
	} while ((int)strlen(buf) > width && decimals-- > 0);
}

char *rates__count(char buf[PRINT_NUMBER_LEN], uint64_t n, int width)
{
	if ((int)strlen(print_count(buf, n)) > width)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64, n);
	if ((int)strlen(buf) > width && n >= 1000)
		shorten(buf, n, width);
	return buf;
}

char *rates__text(char buf[PRINT_NUMBER_LEN], double rate, int width)
{
	if (rate < 0)
		snprintf(buf, PRINT_NUMBER_LEN, "-");
	else if (rate > 0 && rate < 0.1)
		snprintf(buf, PRINT_NUMBER_LEN, "<0.1");
	else if (rate > 0 && rate < 0.95)
		snprintf(buf, PRINT_NUMBER_LEN, "%.1f", rate);
	else
		rates__count(buf, rate + 0.5, width);
	return buf;
}
