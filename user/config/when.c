// SPDX-License-Identifier: GPL-2.0-only
/*
 * The C library reads the date, in the forms of a table.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/values.h"
#include "config/when.h"
#include "system/clock.h"

static const char *const forms[] = {
	"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d",
};

/* ".123" behind the seconds, in ns; more than nine digits are cut. Returns what is behind. */
static const char *parse_decimals(const char *text, uint64_t *ns)
{
	uint64_t unit = NS_PER_S / 10;

	*ns = 0;
	if (*text != '.')
		return text;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*ns += (*text - '0') * unit;
	return text;
}

/* The zone behind a time: *east in seconds. False: there is something else. */
static bool parse_zone(const char *text, long *east)
{
	unsigned hours, minutes;
	char sign;
	int end = 0;

	*east = 0;
	if (!strcmp(text, "Z"))
		return true;
	if (sscanf(text, "%c%2u:%2u%n", &sign, &hours, &minutes, &end) != 3 || text[end] || hours > 14 ||
	    minutes > 59 || (sign != '+' && sign != '-'))
		return false;
	*east = (hours * 60L + minutes) * 60 * (sign == '-' ? -1 : 1);
	return true;
}

/* -1: the text is not of this form. */
static int parse_form(const char *text, const char *form, uint64_t *ns)
{
	struct tm tm = {.tm_isdst = -1};
	const char *rest = strptime(text, form, &tm);
	uint64_t decimals;
	time_t seconds;
	long east;

	if (!rest)
		return -1;
	rest = parse_decimals(rest, &decimals);
	if (!*rest)
		seconds = mktime(&tm);
	else if (parse_zone(rest, &east))
		seconds = timegm(&tm) - east;
	else
		return -1;
	*ns = seconds * NS_PER_S + decimals;
	return seconds < 0 ? -1 : 0;
}

int parse_when(const char *text, uint64_t *ns, const char **why)
{
	uint64_t now = clock__ns(CLOCK_REALTIME), ago;

	if (parse_duration(text, &ago, why) == 0) {
		*ns = ago < now ? now - ago : 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (parse_form(text, forms[i], ns) == 0)
			return 0;
	*why = "how long ago, like 2h, or a time, like \"2026-01-02 03:04\" or 2026-01-02T03:04:05Z";
	return -1;
}
