// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values as text, to the letter: digits, units at their edges, addresses, times, names, colour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "text/address.h"
#include "text/colour.h"
#include "text/digits.h"
#include "text/names.h"
#include "text/print.h"
#include "text/wrap.h"

#define US 1000ULL
#define MS 1000000ULL
#define S  1000000000ULL

struct number_row {
	uint64_t value;
	const char *text;
};

static void check_numbers(char *(*print)(char *, uint64_t), const struct number_row *rows, size_t count)
{
	char buf[PRINT_TIME_LEN];
	size_t i;

	for (i = 0; i < count; i++) {
		assert_ptr_equal(print(buf, rows[i].value), buf);
		assert_string_equal(buf, rows[i].text);
	}
}

static void test_duration(void **state)
{
	static const struct number_row rows[] = {
		{0, "0 us"},
		{999, "0 us"},
		{6 * US, "6 us"},
		{MS - 1, "999 us"},
		{MS, "1.00 ms"},
		{1200 * US, "1.20 ms"},
		{9999 * US, "9.99 ms"},
		{10 * MS, "10.0 ms"},
		{99999 * US, "99.9 ms"},
		{100 * MS, "100 ms"},
		{S - 1, "999 ms"},
		{S, "1.00 s"},
		{9999 * MS, "9.99 s"},
		{10 * S, "10.0 s"},
		{34567 * MS, "34.5 s"},
		{60 * S - 1, "59.9 s"},
		{60 * S, "1m00s"},
		{725 * S, "12m05s"},
		{3600 * S - 1, "59m59s"},
		{3600 * S, "1h00m"},
		{11040 * S, "3h04m"},
		{86400 * S - 1, "23h59m"},
		{86400 * S, "1d00h"},
		{(2 * 86400 + 3 * 3600) * S, "2d03h"},
		{DURATION_UNKNOWN - 1, "213503d23h"},
		{DURATION_UNKNOWN, "-"},
	};

	(void)state;
	check_numbers(print_duration, rows, COUNT_OF(rows));
}

static void test_bytes(void **state)
{
	static const struct number_row rows[] = {
		{0, "0 B"},
		{512, "512 B"},
		{1023, "1023 B"},
		{1024, "1.00 KiB"},
		{1536, "1.50 KiB"},
		{10239, "9.99 KiB"},
		{10240, "10.0 KiB"},
		{102400, "100 KiB"},
		{(1 << 20) - 1, "1023 KiB"},
		{1 << 20, "1.00 MiB"},
		{12939428, "12.3 MiB"},
		{1ULL << 30, "1.00 GiB"},
		{1ULL << 40, "1.00 TiB"},
		{1ULL << 50, "1.00 PiB"},
		{(1ULL << 60) - 1, "1023 PiB"},
		{1ULL << 60, "1.00 EiB"},
		{UINT64_MAX, "15.9 EiB"},
	};

	(void)state;
	check_numbers(print_bytes, rows, COUNT_OF(rows));
}

static void test_count(void **state)
{
	static const struct number_row rows[] = {
		{0, "0"},
		{999, "999"},
		{1000, "1,000"},
		{48210, "48,210"},
		{999999, "999,999"},
		{1000000, "1,000,000"},
		{UINT64_MAX, "18,446,744,073,709,551,615"},
	};

	(void)state;
	check_numbers(print_count, rows, COUNT_OF(rows));
}

/* Never wider than PRINT_SHORT_WIDTH. */
static void test_short(void **state)
{
	static const struct number_row rows[] = {
		{0, "0"},
		{999, "999"},
		{1000, "1,000"},
		{9999, "9,999"},
		{10000, "10.0k"},
		{12999, "12.9k"},
		{99999, "99.9k"},
		{100000, "100k"},
		{999999, "999k"},
		{1000000, "1.00M"},
		{1999999, "1.99M"},
		{12999999, "12.9M"},
		{999999999, "999M"},
		{1000000000, "1.00G"},
		{UINT64_MAX, "18.4E"},
	};

	(void)state;
	check_numbers(print_short, rows, COUNT_OF(rows));
}

/* UTC whatever the machine's zone. */
static void test_time(void **state)
{
	static const struct number_row rows[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{S - 1, "1970-01-01T00:00:00.999999999Z"},
		{S, "1970-01-01T00:00:01.000000000Z"},
		{1767323045 * S + 6, "2026-01-02T03:04:05.000000006Z"},
		{1709251199 * S + 999999999, "2024-02-29T23:59:59.999999999Z"},
		{4294967296 * S + 120000000, "2106-02-07T06:28:16.120000000Z"},
	};

	(void)state;
	setenv("TZ", "Pacific/Auckland", 1);
	check_numbers(print_time, rows, COUNT_OF(rows));
	unsetenv("TZ");
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text; /* for inet_pton() */
		bool v4;
		const char *addr;
		const char *endpoint;
	} rows[] = {
		{"::ffff:192.0.2.1", true, "192.0.2.1", "192.0.2.1:80"},
		{"::ffff:0.0.0.0", true, "0.0.0.0", "0.0.0.0:80"},
		{"::", false, "::", "[::]:80"},
		{"::1", false, "::1", "[::1]:80"},
		{"2001:db8:0:0:1::", false, "2001:db8:0:0:1::", "[2001:db8:0:0:1::]:80"},
		{"1::ffff:192.0.2.1", false, "1::ffff:c000:201", "[1::ffff:c000:201]:80"},
	};
	char buf[PRINT_ENDPOINT_LEN];
	struct addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(inet_pton(AF_INET6, rows[i].text, addr.bytes), 1);
		assert_int_equal(print_is_v4(&addr), rows[i].v4);
		assert_string_equal(print_addr(buf, &addr), rows[i].addr);
		assert_string_equal(print_endpoint(buf, &addr, 80), rows[i].endpoint);
	}
	memset(&addr, 0xff, sizeof(addr));
	assert_string_equal(print_endpoint(buf, &addr, 65535), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	assert_string_equal(print_endpoint(buf, &addr, 0), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0");
}

static void check_as_inet_ntop(const struct addr *addr)
{
	char buf[PRINT_ADDR_LEN], expected[INET6_ADDRSTRLEN];

	if (!print_is_v4(addr))
		inet_ntop(AF_INET6, addr->bytes, expected, sizeof(expected));
	else
		inet_ntop(AF_INET, &addr->bytes[12], expected, sizeof(expected));
	assert_string_equal(print_addr(buf, addr), expected);
}

/* Each pattern of zero and other groups, with groups of one to four digits, and both old forms of IPv4. */
static void test_addresses_all(void **state)
{
	static const uint16_t groups[] = {0x1, 0x12, 0x123, 0x1234, 0xffff, 0x100, 0x10, 0xf000};
	struct addr addr;
	unsigned pattern, shift, i;

	(void)state;
	for (pattern = 0; pattern < 256; pattern++) {
		for (shift = 0; shift < COUNT_OF(groups); shift++) {
			for (i = 0; i < 8; i++) {
				uint16_t group = pattern >> i & 1 ? groups[(i + shift) % COUNT_OF(groups)] : 0;

				addr.bytes[2 * i] = group >> 8;
				addr.bytes[2 * i + 1] = group;
			}
			check_as_inet_ntop(&addr);
		}
	}
	for (i = 0; i < 65536; i++) {
		addr = (struct addr){.words = {0, 0, i & 1 ? htonl(0xffff) : 0, htonl(i * 65537)}};
		check_as_inet_ntop(&addr);
	}
}

static void test_digits(void **state)
{
	char buf[DIGITS_MAX + 1], expected[DIGITS_MAX + 1];
	uint64_t power = 1, n;
	int i, step;

	(void)state;
	for (i = 0; i < DIGITS_MAX; i++, power *= 10) {
		for (step = -1; step <= 1; step++) {
			n = power + step;
			*digits_put(buf, n) = '\0';
			snprintf(expected, sizeof(expected), "%lu", n);
			assert_string_equal(buf, expected);
			*digits_padded(buf, n, 9) = '\0';
			snprintf(expected, sizeof(expected), "%09lu", n % 1000000000);
			assert_string_equal(buf, expected);
		}
	}
	*digits_put(buf, UINT64_MAX) = '\0';
	assert_string_equal(buf, "18446744073709551615");
}

static void test_prefixes(void **state)
{
	static const struct {
		uint32_t prefixlen;
		uint32_t words[4];
		const char *text;
	} rows[] = {
		{120, {0, 0, 0xffff, 0xc0000200}, "192.0.2.0/24"},
		{128, {0, 0, 0xffff, 0xc0000201}, "192.0.2.1"},
		{127, {0, 0, 0xffff, 0xc0000200}, "192.0.2.0/31"},
		{96, {0, 0, 0xffff, 0}, "0.0.0.0/0"},
		{0, {0, 0, 0, 0}, "::/0"},
		{32, {0x20010db8, 0, 0, 0}, "2001:db8::/32"},
		{128, {0x20010db8, 0, 0, 1}, "2001:db8::1"},
		{127, {~0U, ~0U, ~0U, ~1U}, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
	};
	char buf[PRINT_PREFIX_LEN];
	struct prefix prefix;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		prefix.prefixlen = rows[i].prefixlen;
		for (j = 0; j < 4; j++)
			prefix.words[j] = htonl(rows[i].words[j]);
		assert_string_equal(print_prefix(buf, &prefix), rows[i].text);
	}
}

static void test_names(void **state)
{
	unsigned i;

	(void)state;
	assert_string_equal(print_state(STATE_ESTABLISHED), "ESTABLISHED");
	assert_string_equal(print_state(STATE_NEW_SYN_RECV), "NEW_SYN_RECV");
	assert_string_equal(print_state(0), "?");
	assert_string_equal(print_state(13), "?");
	assert_string_equal(print_state(~0U), "?");
	assert_null(print_ending(ENDING_NONE));
	assert_string_equal(print_ending(ENDING_FIN), "fin");
	assert_string_equal(print_ending(ENDING_MAX - 1), "unlistened");
	assert_string_equal(print_ending(ENDING_MAX), "?");
	assert_string_equal(print_owner_kind(OWNER_UNKNOWN), "unknown");
	assert_string_equal(print_owner_kind(OWNER_CONNECT), "connect");
	assert_string_equal(print_owner_kind(OWNER_LISTEN), "listen");
	assert_string_equal(print_owner_kind(OWNER_ACCEPT), "accept");
	assert_string_equal(print_owner_kind(OWNER_SNAPSHOT), "snapshot");
	assert_string_equal(print_owner_kind(OWNER_MAX), "?");
	assert_string_equal(print_loss(LOSS_RING), "ring");
	assert_string_equal(print_loss(LOSS_MAX), "?");
	assert_string_equal(print_reason(REASON_SEGMENT), "segment");
	assert_string_equal(print_reason(REASON_MAX), "?");
	assert_int_equal(print_reason_verdict(REASON_SYN), VERDICT_PASS);
	assert_int_equal(print_reason_verdict(REASON_BLOCKED), VERDICT_DROP);
	assert_int_equal(print_reason_verdict(REASON_CHALLENGED), VERDICT_TX);
	assert_int_equal(print_reason_verdict(REASON_MAX), VERDICT_PASS);
	assert_string_equal(print_verdict(VERDICT_PASS), "pass");
	assert_string_equal(print_verdict(VERDICT_DROP), "drop");
	assert_string_equal(print_verdict(VERDICT_TX), "challenge");
	for (i = 0; i < REASON_MAX; i++) {
		assert_string_not_equal(print_reason(i), "?");
	}
}

static void check_colour(FILE *out, const char *no_color, const char *term, bool on)
{
	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	else
		unsetenv("NO_COLOR");
	setenv("TERM", term, 1);
	print_colour_init(out);
	assert_string_equal(print_bold(), on ? "\033[1m" : "");
	assert_string_equal(print_dim(), on ? "\033[2m" : "");
	assert_string_equal(print_red(), on ? "\033[31m" : "");
	assert_string_equal(print_green(), on ? "\033[32m" : "");
	assert_string_equal(print_yellow(), on ? "\033[33m" : "");
	assert_string_equal(print_plain(), on ? "\033[0m" : "");
}

static void test_colour(void **state)
{
	FILE *terminal, *file = tmpfile();
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_non_null(file);
	assert_true(fd >= 0);
	terminal = fdopen(fd, "r+");
	assert_non_null(terminal);
	check_colour(terminal, NULL, "xterm", true);
	check_colour(terminal, "", "xterm", true);
	check_colour(terminal, "1", "xterm", false);
	check_colour(terminal, NULL, "dumb", false);
	check_colour(file, NULL, "xterm", false);
	fclose(terminal);
	fclose(file);
}

/* Of sockets: one form for all, and what counts as one source of them. */
static void test_sources(void **state)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr local = {.sa_family = AF_UNIX};
	char text[PRINT_PREFIX_LEN];
	struct addr addr, source;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &in4.sin_addr), 1);
	addr = address__from_sockaddr((struct sockaddr *)&in4);
	source = address__source(&addr);
	assert_memory_equal(&source, &addr, sizeof(addr));
	assert_string_equal(print_source(text, &source), "192.0.2.1");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1:2", &in6.sin6_addr), 1);
	addr = address__from_sockaddr((struct sockaddr *)&in6);
	assert_string_equal(print_addr(text, &addr), "2001:db8::1:2");
	source = address__source(&addr);
	assert_string_equal(print_source(text, &source), "2001:db8::/64");
	addr = address__from_sockaddr(&local);
	assert_true(!addr.halves[0] && !addr.halves[1]);
}

/* Breaks at the last blank that fits; a word that is longer than a line stays whole. */
static void test_wrapped(void **state)
{
	char eighty[81], text[256], *out;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	(void)state;
	memset(eighty, 'x', 80);
	eighty[80] = '\0';
	print_wrapped(to, eighty);
	snprintf(text, sizeof(text), "%sy z", eighty);
	print_wrapped(to, text);
	snprintf(text, sizeof(text), "ab %s", eighty);
	print_wrapped(to, text);
	fclose(to);
	snprintf(text, sizeof(text), "%s\n%sy\nz\n", eighty, eighty);
	assert_memory_equal(out, text, strlen(text));
	snprintf(text, sizeof(text), "ab\n%s\n", eighty);
	assert_string_equal(out + size - strlen(text), text);
	free(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrapped),	  cmocka_unit_test(test_duration),	cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_count),	  cmocka_unit_test(test_short),		cmocka_unit_test(test_time),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_prefixes),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_colour),	  cmocka_unit_test(test_addresses_all), cmocka_unit_test(test_digits),
		cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
