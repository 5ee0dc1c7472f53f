// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers are cut, never rounded up: a duration is not shown as a limit that it has not reached.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text/digits.h"
#include "text/print.h"

#define NS_PER_S   1000000000
#define NS_PER_US  1000
#define US_PER_MS  1000
#define MS_PER_S   1000
#define S_PER_MIN  60
#define S_PER_HOUR 3600
#define S_PER_DAY  86400

/* `value` in units of `unit`, to three digits. */
static void three_digits(char buf[PRINT_NUMBER_LEN], uint64_t value, unsigned unit, const char *name)
{
	uint64_t whole = value / unit;
	unsigned hundredths = value % unit * 100 / unit;

	if (whole < 10)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 ".%02u %s", whole, hundredths, name);
	else if (whole < 100)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 ".%u %s", whole, hundredths / 10, name);
	else
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 " %s", whole, name);
}

static void two_units(char buf[PRINT_NUMBER_LEN], uint64_t big, char big_name, uint64_t small, char small_name)
{
	snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 "%c%02" PRIu64 "%c", big, big_name, small, small_name);
}

char *print_duration(char buf[PRINT_NUMBER_LEN], uint64_t ns)
{
	uint64_t us = ns / NS_PER_US, ms = us / US_PER_MS, s = ms / MS_PER_S;

	if (ns == DURATION_UNKNOWN)
		snprintf(buf, PRINT_NUMBER_LEN, "-");
	else if (!ms)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 " us", us);
	else if (!s)
		three_digits(buf, us, US_PER_MS, "ms");
	else if (s < S_PER_MIN)
		three_digits(buf, ms, MS_PER_S, "s");
	else if (s < S_PER_HOUR)
		two_units(buf, s / S_PER_MIN, 'm', s % S_PER_MIN, 's');
	else if (s < S_PER_DAY)
		two_units(buf, s / S_PER_HOUR, 'h', s % S_PER_HOUR / S_PER_MIN, 'm');
	else
		two_units(buf, s / S_PER_DAY, 'd', s % S_PER_DAY / S_PER_HOUR, 'h');
	return buf;
}

char *print_bytes(char buf[PRINT_NUMBER_LEN], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (; bytes >= 1024 * 1024; unit++)
		bytes /= 1024;
	three_digits(buf, bytes, 1024, units[unit]);
	return buf;
}

char *print_count(char buf[PRINT_NUMBER_LEN], uint64_t n)
{
	char digits[PRINT_NUMBER_LEN];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *out = buf;
	int i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}

char *print_short(char buf[PRINT_NUMBER_LEN], uint64_t n)
{
	static const char units[] = "kMGTPE";
	const char *unit = units;
	uint64_t whole, hundredths;

	if (n < 10000)
		return print_count(buf, n);
	for (; n >= 1000000; unit++)
		n /= 1000;
	whole = n / 1000;
	hundredths = n % 1000 / 10;
	if (whole < 10)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 ".%02" PRIu64 "%c", whole, hundredths, *unit);
	else if (whole < 100)
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 ".%" PRIu64 "%c", whole, hundredths / 10, *unit);
	else
		snprintf(buf, PRINT_NUMBER_LEN, "%" PRIu64 "%c", whole, *unit);
	return buf;
}

/* The date is formatted once for each second. */
char *print_time(char buf[PRINT_TIME_LEN], uint64_t realtime_ns)
{
	static _Thread_local struct {
		time_t second;
		char text[sizeof("2026-01-02T03:04:05.")];
	} last = {.second = -1};
	time_t second = realtime_ns / NS_PER_S;
	struct tm tm;
	char *at;

	if (second != last.second) {
		last.second = second;
		strftime(last.text, sizeof(last.text), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&second, &tm));
	}
	at = digits_padded(mempcpy(buf, last.text, sizeof(last.text) - 1), realtime_ns % NS_PER_S, 9);
	memcpy(at, "Z", 2);
	return buf;
}

char *print_append(char *buf, size_t size, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + len, size - len, format, args);
	va_end(args);
	return buf;
}
