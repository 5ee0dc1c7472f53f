// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsers of one value: what they take, and what they say of the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/options.h"
#include "config/cidr.h"
#include "config/values.h"
#include "config/when.h"
#include "lib/text.h"
#include "system/clock.h"

#define NS_PER_S 1000000000ULL

static void test_cidr(void **state)
{
	static const struct {
		const char *text;
		uint32_t prefixlen;
		uint32_t words[4];
	} rows[] = {
		{"192.0.2.1", 128, {0, 0, 0xffff, 0xc0000201}},
		{"192.0.2.1/32", 128, {0, 0, 0xffff, 0xc0000201}},
		{"192.0.2.0/24", 120, {0, 0, 0xffff, 0xc0000200}},
		{"128.0.0.0/1", 97, {0, 0, 0xffff, 0x80000000}},
		{"0.0.0.0/0", 96, {0, 0, 0xffff, 0}},
		{"0.0.0.0", 128, {0, 0, 0xffff, 0}},
		{"192.0.2.0/255.255.255.0", 120, {0, 0, 0xffff, 0xc0000200}},
		{"192.0.2.1/255.255.255.255", 128, {0, 0, 0xffff, 0xc0000201}},
		{"0.0.0.0/0.0.0.0", 96, {0, 0, 0xffff, 0}},
		{"10.0.0.0/08", 104, {0, 0, 0xffff, 0x0a000000}},
		{"255.255.255.255", 128, {0, 0, 0xffff, 0xffffffff}},
		{"2001:db8::1", 128, {0x20010db8, 0, 0, 1}},
		{"2001:db8::/32", 32, {0x20010db8, 0, 0, 0}},
		{"2001:DB8:0:8000::/49", 49, {0x20010db8, 0x00008000, 0, 0}},
		{"::/0", 0, {0, 0, 0, 0}},
		{"::", 128, {0, 0, 0, 0}},
		{"::ffff:192.0.2.1", 128, {0, 0, 0xffff, 0xc0000201}},
		{"::ffff:192.0.2.0/120", 120, {0, 0, 0xffff, 0xc0000200}},
		{"::ffff:0:0/96", 96, {0, 0, 0xffff, 0}},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", 128, {~0U, ~0U, ~0U, ~0U}},
	};
	struct prefix prefix;
	const char *why;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		why = NULL;
		if (parse_cidr(rows[i].text, &prefix, &why))
			fail_msg("\"%s\" is not %s", rows[i].text, why);
		assert_int_equal(prefix.prefixlen, rows[i].prefixlen);
		for (j = 0; j < 4; j++)
			assert_int_equal(ntohl(prefix.words[j]), rows[i].words[j]);
	}
}

static void test_cidr_refused(void **state)
{
#define ADDRESS	      "an IPv4 or IPv6 address, optionally with /LENGTH"
#define LENGTH4	      "an IPv4 prefix: its length is a number from 0 to 32, or a netmask"
#define LENGTH6	      "an IPv6 prefix: its length is a number from 0 to 128"
#define MEANT(prefix) "a prefix: bits are set behind its length; did you mean " prefix "?"
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{"", ADDRESS},
		{"/24", ADDRESS},
		{"example.org", ADDRESS},
		{"192.0.2", ADDRESS},
		{"192.0.2.256", ADDRESS},
		{"192.0.2.1.1", ADDRESS},
		{"192.0.2.010", ADDRESS},
		{" 192.0.2.1", ADDRESS},
		{"192.0.2.1 ", ADDRESS},
		{"2001:db8:::1", ADDRESS},
		{"fe80::1%eth0", ADDRESS},
		{"[2001:db8::1]", ADDRESS},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS},
		{"192.0.2.0/", LENGTH4},
		{"192.0.2.0/33", LENGTH4},
		{"192.0.2.0/-1", LENGTH4},
		{"192.0.2.0/+8", LENGTH4},
		{"192.0.2.0/ 8", LENGTH4},
		{"192.0.2.0/8x", LENGTH4},
		{"192.0.2.0/24/24", LENGTH4},
		{"192.0.2.0/255.0.255.0", LENGTH4},
		{"192.0.2.0/255.255.255", LENGTH4},
		{"192.0.2.0/0.0.0.255", LENGTH4},
		{"2001:db8::/255.255.255.0", LENGTH6},
		{"192.0.2.1/255.255.255.0", MEANT("192.0.2.0/24")},
		{"192.0.2.0/18446744073709551640", LENGTH4},
		{"2001:db8::/129", LENGTH6},
		{"2001:db8::/", LENGTH6},
		{"192.0.2.1/24", MEANT("192.0.2.0/24")},
		{"192.0.2.1/31", MEANT("192.0.2.0/31")},
		{"192.0.2.1/0", MEANT("0.0.0.0/0")},
		{"2001:db8::1/64", MEANT("2001:db8::/64")},
		{"2001:db8::1/127", MEANT("2001:db8::/127")},
		{"2001:db8::/0", MEANT("::/0")},
		{"::ffff:192.0.2.1/120", MEANT("192.0.2.0/24")},
	};
#undef MEANT
#undef LENGTH6
#undef LENGTH4
#undef ADDRESS
	struct prefix prefix, before;
	const char *why;
	size_t i;

	(void)state;
	memset(&prefix, 0xa5, sizeof(prefix));
	before = prefix;
	for (i = 0; i < COUNT_OF(rows); i++) {
		why = "accepted";
		assert_int_equal(parse_cidr(rows[i].text, &prefix, &why), -1);
		assert_string_equal(why, rows[i].why);
		assert_memory_equal(&prefix, &before, sizeof(prefix));
	}
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{"0", 0},
		{"90", 90 * NS_PER_S},
		{"90s", 90 * NS_PER_S},
		{"10m", 600 * NS_PER_S},
		{"2h", 7200 * NS_PER_S},
		{"1d", 86400 * NS_PER_S},
		{"18446744073s", 18446744073 * NS_PER_S},
		{"213503d", 213503ULL * 86400 * NS_PER_S},
		{"1w", 604800 * NS_PER_S},
		{"1h30m", 5400 * NS_PER_S},
		{"1w2d3h4m5s", 788645 * NS_PER_S},
		{"1.5h", 5400 * NS_PER_S},
		{"3h59m48.1s", 14388 * NS_PER_S + 100000000},
		{"59m56.042736072s", 3596 * NS_PER_S + 42736072},
		{"0.000000001", 1},
		{"18446744073.709551615s", UINT64_MAX},
	};
	static const char *const refused[] = {"",
					      "s",
					      "-1",
					      "+1",
					      ".5h",
					      " 1",
					      "1 s",
					      "1 ",
					      "1S",
					      "1ms",
					      "30m1h",
					      "1h1h",
					      "1h30",
					      "1.",
					      "1..s",
					      "h1",
					      "0.1234567890s",
					      "1m.5s",
					      "1d 2h",
					      "1h30m ",
					      "18446744074",
					      "213504d",
					      "18446744073.709551616s"};
	const char *why;
	uint64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse_duration(rows[i].text, &ns, &why), 0);
		assert_int_equal(ns, rows[i].ns);
	}
	for (i = 0; i < COUNT_OF(refused); i++) {
		why = "accepted";
		assert_int_equal(parse_duration(refused[i], &ns, &why), -1);
		assert_string_equal(why, "a duration such as 90, 90s, 10m, 1h30m, 2.5h, 1d or 1w");
	}
}

static void test_when(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{"2026-01-02T03:04:05Z", 1767323045000000000},
		{"2026-01-02 03:04:05Z", 1767323045000000000},
		{"2026-01-02T03:04:05.000000006Z", 1767323045000000006},
		{"2026-01-02T03:04:05.5Z", 1767323045500000000},
		{"2026-01-02T03:04Z", 1767323040000000000},
		{"2026-01-02T03:04:05+01:30", 1767317645000000000},
		{"2026-01-02T03:04:05-01:30", 1767328445000000000},
		{"2026-01-02 03:04", 1767319440000000000}, /* an hour east */
		{"2026-01-02", 1767308400000000000},
	};
	static const char *const refused[] = {
		"",
		"yesterday",
		"-1h",
		"2026-13-02",
		"2026-01-02 25:00",
		"2026-01-02Z1",
		"2026-01-02T03:04:05 Z",
		"2026-01-02T03:04:05+1",
		"2026-01-02T03:04:05+15:00",
		"1960-01-01",
		"03:04",
		"2026-01-02 03:04,5",
	};
	uint64_t ns, now = clock__ns(CLOCK_REALTIME);
	const char *why;

	(void)state;
	setenv("TZ", "XXX-1", 1);
	tzset();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse_when(rows[i].text, &ns, &why), 0);
		assert_int_equal(ns, rows[i].ns);
	}
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		why = "accepted";
		if (parse_when(refused[i], &ns, &why) == 0 || strncmp(why, "how long ago", 12) != 0)
			fail_msg("\"%s\": %s", refused[i], why);
	}
	assert_int_equal(parse_when("1h", &ns, &why), 0);
	assert_true(ns >= now - 3600 * NS_PER_S && ns <= clock__ns(CLOCK_REALTIME) - 3600 * NS_PER_S);
	assert_int_equal(parse_when("1000w", &ns, &why), 0);
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		uint32_t min, max, number;
	} rows[] = {
		{"0", 0, 10, 0},
		{"1", 1, 10, 1},
		{"10", 1, 10, 10},
		{"007", 0, 10, 7},
		{"4294967295", 0, UINT32_MAX, UINT32_MAX},
		{"0", 0, 0, 0},
	};
	static const char *const refused[] = {"",    "0",   "11",  "-1",  "+1", " 1", "1 ",
					      "0x1", "1.0", "1e1", "ten", "٣",	"\n", "18446744073709551617"};
	const char *why;
	uint32_t number;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse_number(rows[i].text, rows[i].min, rows[i].max, &number, &why), 0);
		assert_int_equal(number, rows[i].number);
	}
	for (i = 0; i < COUNT_OF(refused); i++) {
		why = "accepted";
		assert_int_equal(parse_number(refused[i], 1, 10, &number, &why), -1);
		assert_string_equal(why, "a number from 1 to 10");
	}
	assert_int_equal(parse_number("4294967296", 0, UINT32_MAX, &number, &why), -1);
	assert_string_equal(why, "a number from 0 to 4294967295");
	assert_int_equal(parse_number("1", 0, 0, &number, &why), -1);
}

static void test_state(void **state)
{
#define X(number, name, ...) {#name, number},
	static const struct {
		const char *text;
		uint32_t number;
	} rows[] = {STATES(X){"established", 1},
		    {"Syn_Recv", 3},
		    /* ss */
		    {"ESTAB", 1},
		    {"SYN-RECV", 3},
		    {"syn-sent", 2},
		    {"FIN-WAIT-1", 4},
		    {"fin-wait-2", 5},
		    {"TIME-WAIT", 6},
		    {"closed", 7},
		    {"UNCONN", 7},
		    {"close-wait", 8},
		    {"LAST-ACK", 9},
		    {"listening", 10},
		    {"CLOSING", 11}};
#undef X
	static const char *const refused[] = {"", "?", "1", "-", "EST", "ESTABLISHED ", "SYN SENT", "FIN_WAIT"};
	const char *why;
	uint32_t number;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse_state(rows[i].text, &number, &why), 0);
		assert_int_equal(number, rows[i].number);
	}
	for (i = 0; i < COUNT_OF(refused); i++) {
		why = "accepted";
		assert_int_equal(parse_state(refused[i], &number, &why), -1);
		assert_string_equal(why, "one of ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE "
					 "CLOSE_WAIT LAST_ACK LISTEN CLOSING NEW_SYN_RECV");
	}
}

static void test_listen(void **state)
{
	static const struct {
		const char *text;
		uint32_t words[4];
		uint16_t port;
	} rows[] = {
		{"127.0.0.1:9798", {0, 0, 0xffff, 0x7f000001}, 9798},
		{"0.0.0.0:1", {0, 0, 0xffff, 0}, 1},
		{"[::1]:9798", {0, 0, 0, 1}, 9798},
		{"[::]:65535", {0, 0, 0, 0}, 65535},
		{"[2001:db8::1]:80", {0x20010db8, 0, 0, 1}, 80},
		{"[::ffff:127.0.0.1]:80", {0, 0, 0xffff, 0x7f000001}, 80},
	};
	static const char *const refused[] = {"",
					      "OFF",
					      "on",
					      ":",
					      ":9798",
					      "9798",
					      "127.0.0.1",
					      "127.0.0.1:",
					      "[::1]",
					      "[::1]:",
					      "::1:9798",
					      "127.0.0.1:0",
					      "127.0.0.1:65536",
					      "*:9798",
					      "[]:80",
					      "[:80",
					      "[127.0.0.1]:80",
					      "[::1:80",
					      "::1]:80",
					      "[::1]x:80",
					      "[::1]:-1",
					      "127.0.0.1: 80",
					      "localhost:9798",
					      "[[::1]]:80"};
	struct listen_at at;
	const char *why;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		memset(&at, 0xff, sizeof(at));
		assert_int_equal(parse_listen(rows[i].text, &at, &why), 0);
		assert_false(at.off);
		assert_int_equal(at.port, rows[i].port);
		for (j = 0; j < 4; j++)
			assert_int_equal(ntohl(at.addr.words[j]), rows[i].words[j]);
	}
	assert_int_equal(parse_listen("off", &at, &why), 0);
	assert_true(at.off);
	for (i = 0; i < COUNT_OF(refused); i++) {
		why = "accepted";
		assert_int_equal(parse_listen(refused[i], &at, &why), -1);
		assert_string_equal(why, "ADDR:PORT, [ADDR]:PORT for IPv6 (port 1 to 65535), or off");
	}
	assert_true(at.off);
}

int main(void)
{
	static const struct CMUnitTest parsers[] = {
		cmocka_unit_test(test_cidr),   cmocka_unit_test(test_cidr_refused), cmocka_unit_test(test_duration),
		cmocka_unit_test(test_when),   cmocka_unit_test(test_number),	    cmocka_unit_test(test_state),
		cmocka_unit_test(test_listen),
	};

	return cmocka_run_group_tests(parsers, NULL, NULL);
}
