// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sources say, joined to what the lists are to hold, and the steps to it; what is never blocked; and when a short
 * answer is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/cidr.h"
#include "lib/capture.h"
#include "lib/text.h"
#include "sync/desired.h"
#include "sync/protected.h"
#include "sync/source.h"
#include "system/clock.h"
#include "text/address.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	const char *why;

	assert_int_equal(parse_cidr(text, &prefix, &why), 0);
	return prefix;
}

struct row {
	const char *prefix;
	uint64_t ends_s; /* 0: never */
	uint32_t note, rank;
	uint16_t source;
};

static struct desired joined(const struct row *rows, size_t count)
{
	struct desired desired = {};

	for (size_t i = 0; i < count && rows[i].prefix; i++) {
		const struct wanted wanted = {
			.entry = {prefix_of(rows[i].prefix), rows[i].ends_s * NS_PER_S, rows[i].note},
			.rank = rows[i].rank,
			.source = rows[i].source,
		};

		assert_int_equal(desired__add(&desired, &wanted), 0);
	}
	desired__join(&desired);
	return desired;
}

static const char *shown(const struct desired *desired)
{
	static char text[1024];
	char prefix[PRINT_PREFIX_LEN];
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < desired->count; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s %llu %u", i ? ", " : "",
				print_prefix(prefix, &desired->all[i].entry.prefix),
				(unsigned long long)(desired->all[i].entry.until_ns / NS_PER_S), desired->all[i].rank);
	return text;
}

/* Two decisions on an address: the later end holds, whatever the order; a range holds beside its address. */
static void test_join(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.20", 8, 1, 3, 0},   {"192.0.2.0/24", 100, 1, 3, 0}, {"192.0.2.20", 3600, 2, 5, 1},
		{"2001:db8::1", 50, 1, 0, 0}, {"192.0.2.21", 0, 1, 3, 0},     {"192.0.2.21", 90, 1, 3, 0},
		{"192.0.2.20", 90, 1, 4, 0},
	};
	struct desired desired = joined(rows, COUNT_OF(rows));

	(void)state;
	assert_string_equal(shown(&desired), "192.0.2.0/24 100 3, 192.0.2.20 3600 3, 192.0.2.21 0 3, 2001:db8::1 50 0");
	desired__free(&desired);
}

static void test_fit(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.1", 10, 1, 1, 0}, {"192.0.2.2", 20, 1, 1, 0},	 {"192.0.2.3", 30, 1, 1, 0},
		{"192.0.2.4", 5, 1, 0, 1},  {"10.0.0.0/24", 9, 1, 0, 1}, {"11.0.0.0/24", 0, 1, 0, 1},
	};
	static const struct {
		struct desired_room room;
		struct row held[2];
		const char *expected;
		uint64_t left_out[2];
	} cases[] = {
		{{6, 2},
		 {},
		 "10.0.0.0/24 9 0, 11.0.0.0/24 0 0, 192.0.2.1 10 1, 192.0.2.2 20 1, 192.0.2.3 30 1, 192.0.2.4 5 0",
		 {}},
		{{4, 2}, {}, "10.0.0.0/24 9 0, 11.0.0.0/24 0 0, 192.0.2.3 30 1, 192.0.2.4 5 0", {2, 0}},
		{{4, 2},
		 {{"192.0.2.1", 10, 1, 1, 0}},
		 "10.0.0.0/24 9 0, 11.0.0.0/24 0 0, 192.0.2.1 10 1, 192.0.2.4 5 0",
		 {2, 0}},
		{{6, 1}, {}, "11.0.0.0/24 0 0, 192.0.2.1 10 1, 192.0.2.2 20 1, 192.0.2.3 30 1, 192.0.2.4 5 0", {0, 1}},
		{{2, 2}, {{"192.0.2.1", 10, 1, 1, 0}}, "10.0.0.0/24 9 0, 11.0.0.0/24 0 0", {3, 1}},
		{{0, 0}, {}, "", {3, 3}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct desired desired = joined(rows, COUNT_OF(rows));
		struct desired held = joined(cases[i].held, COUNT_OF(cases[i].held));
		uint64_t left_out[2] = {};

		desired__fit(&desired, &held, &cases[i].room, left_out);
		assert_string_equal(shown(&desired), cases[i].expected);
		assert_memory_equal(left_out, cases[i].left_out, sizeof(left_out));
		desired__free(&desired);
		desired__free(&held);
	}
}

static void test_steps(void **state)
{
	static const struct row before[] = {
		{"192.0.2.1", 10, 1, 0, 0}, {"192.0.2.2", 20, 1, 0, 0}, {"192.0.2.3", 30, 1, 0, 0},
		{"192.0.2.4", 0, 1, 0, 0},  {"192.0.2.6", 40, 1, 0, 0},
	};
	static const struct row after[] = {
		{"192.0.2.0/24", 9, 1, 0, 0}, {"192.0.2.2", 20, 1, 0, 0}, {"192.0.2.3", 33, 1, 0, 0},
		{"192.0.2.4", 0, 2, 0, 0},    {"192.0.2.5", 50, 1, 0, 0},
	};
	struct desired held = joined(before, COUNT_OF(before)), desired = joined(after, COUNT_OF(after)), none = {};
	struct steps steps;
	char text[512] = "", prefix[PRINT_PREFIX_LEN];

	(void)state;
	held.all[1].entry.until_ns += NS_PER_S / 2; /* not worth to be written */
	assert_int_equal(steps__find(&steps, &held, &desired), 0);
	for (size_t i = 0; i < steps.put_count; i++)
		sprintf(text + strlen(text), "+%s ", print_prefix(prefix, &steps.put[i].prefix));
	for (size_t i = 0; i < steps.remove_count; i++)
		sprintf(text + strlen(text), "-%s ", print_prefix(prefix, &steps.remove[i]));
	assert_string_equal(text, "+192.0.2.0/24 +192.0.2.3 +192.0.2.4 +192.0.2.5 -192.0.2.1 -192.0.2.6 ");
	assert_int_equal(desired.all[1].entry.until_ns, held.all[1].entry.until_ns);
	steps__free(&steps);
	assert_int_equal(steps__find(&steps, &desired, &desired), 0);
	assert_int_equal(steps.put_count + steps.remove_count, 0);
	steps__free(&steps);
	assert_int_equal(steps__find(&steps, &held, &none), 0);
	assert_int_equal(steps.remove_count, 5);
	steps__free(&steps);
	desired__free(&held);
	desired__free(&desired);
}

/* What is in a protected prefix, and what has one in it. */
static void test_protected(void **state)
{
	static const struct {
		const char *prefix;
		bool local, host;
	} rows[] = {
		{"203.0.113.7", false, true},	 {"203.0.113.0/24", false, true},
		{"203.0.113.8", false, false},	 {"10.1.2.3", true, false},
		{"10.0.0.0/7", true, false},	 {"11.0.0.0/8", false, false},
		{"127.0.0.1", true, false},	 {"169.254.1.1", true, false},
		{"172.31.255.255", true, false}, {"172.32.0.0", false, false},
		{"192.168.0.0/16", true, false}, {"100.64.0.0/10", true, false},
		{"239.1.1.1", true, false},	 {"::1", true, false},
		{"fe80::1", true, false},	 {"fd00::/8", true, false},
		{"2001:db8::/32", false, false}, {"198.51.100.0/24", false, false},
	};
	struct prefixes servers = {}, none = {};
	struct protected protected;
	struct prefix server = prefix_of("203.0.113.7");

	(void)state;
	protected__open(&protected);
	assert_int_equal(prefixes__add(&servers, &server), 0);
	for (unsigned local = 0; local < 2; local++)
		for (unsigned with = 0; with < 2; with++) {
			protected__read(&protected, local, with ? &servers : &none);
			for (size_t i = 0; i < COUNT_OF(rows); i++) {
				const struct prefix prefix = prefix_of(rows[i].prefix);
				bool expected = (rows[i].local && local) || (rows[i].host && with);

				if (rows[i].local && !local)
					continue; /* it may be this machine's own */
				assert_int_equal(protected__overlap(&protected, &prefix), expected);
			}
		}
	prefixes__free(&servers);
	protected__close(&protected);
}

static void test_shrink_guard(void **state)
{
	static const struct {
		uint32_t guard;
		size_t missing, before;
		bool doubted;
	} rows[] = {
		{50, 0, 100, false}, {50, 50, 100, false},   {50, 51, 100, true}, {50, 10, 10, false},
		{50, 11, 11, true},  {100, 100, 100, false}, {10, 11, 100, true}, {10, 10, 100, false},
	};
	struct sync_options options = {};
	const struct source_context context = {.sync = &options};
	const struct sync_source config = {.name = "crowdsec", .is_crowdsec = true};
	struct capture capture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct shared_source source = {.config = &config};

		options.shrink_guard = rows[i].guard;
		capture_begin(&capture, STDERR_FILENO);
		assert_int_equal(source__doubts(&source, &context, rows[i].missing, rows[i].before), rows[i].doubted);
		assert_int_equal(source.is_doubted, rows[i].doubted);
		/* The second time it is believed, and after it a third one is doubted anew. */
		assert_false(source__doubts(&source, &context, rows[i].missing, rows[i].before));
		assert_int_equal(source__doubts(&source, &context, rows[i].missing, rows[i].before), rows[i].doubted);
		source.is_doubted = false;
		source.is_forced = true;
		assert_false(source__doubts(&source, &context, rows[i].missing, rows[i].before));
		capture_end(&capture);
	}
}

/* What a list grants ends with the time that it may stay unread, counted from the last success; the end is moved rarely
 * while it can be read, and exactly as soon as it cannot. */
static void test_stale_after(void **state)
{
	struct sync_source config = {.name = "drop", .options = {.stale_after_ns = 80 * NS_PER_S}};
	struct shared_source source = {.config = &config};

	(void)state;
	assert_false(source__renew(&source));
	source.succeeded_ns = 100 * NS_PER_S;
	assert_true(source__renew(&source));
	assert_int_equal(source.ends_ns, 180 * NS_PER_S);
	source.succeeded_ns = 109 * NS_PER_S;
	assert_false(source__renew(&source));
	source.failures = 1;
	assert_true(source__renew(&source));
	assert_int_equal(source.ends_ns, 189 * NS_PER_S);
	assert_false(source__renew(&source));
	source.failures = 0;
	source.succeeded_ns = 119 * NS_PER_S;
	assert_true(source__renew(&source));
	assert_int_equal(source.ends_ns, 199 * NS_PER_S);
	config.options.stale_after_ns = 0;
	assert_true(source__renew(&source));
	assert_int_equal(source.ends_ns, 0);
	assert_false(source__renew(&source));
	assert_int_equal(source.ends_ns, 0);
}

static struct said said_of(const char *text)
{
	struct said said = {};

	for (const char *at = text; *at; at += strspn(at, " ")) {
		struct record record = {.ends_ns = 1000 * NS_PER_S};
		unsigned seconds = 0;
		int len = 0;

		sscanf(at, "%lu+%u%n", &record.id, &seconds, &len);
		if (!len)
			sscanf(at, "%lu%n", &record.id, &len);
		record.ends_ns += seconds * NS_PER_S;
		assert_int_equal(said__add(&said, &record), 0);
		at += len;
	}
	said__sort(&said);
	return said;
}

static const char *said_text(const struct said *said)
{
	static char text[256];

	*text = '\0';
	for (size_t i = 0; i < said->count; i++)
		sprintf(text + strlen(text), "%s%lu+%lu", i ? " " : "", said->all[i].id,
			(unsigned long)(said->all[i].ends_ns / NS_PER_S - 1000));
	return text;
}

/* By id: a deletion that comes twice does nothing, an end within 2 s is the same, the later one of the two. */
static void test_said(void **state)
{
	static const uint64_t gone[] = {2, 3, 9};
	struct said said = said_of("5+10 1+10 3+10 3+20"), fresh = said_of("3+21 4+9 5+9 1+60 7+1"), more, full;
	size_t added;

	(void)state;
	assert_string_equal(said_text(&said), "1+10 3+20 5+10");
	assert_int_equal(said__merge(&said, &fresh, &added), 0);
	assert_int_equal(added, 2);
	assert_string_equal(said_text(&said), "1+60 3+21 4+9 5+10 7+1");
	assert_int_equal(said__remove(&said, gone, COUNT_OF(gone)), 1);
	assert_int_equal(said__remove(&said, gone, COUNT_OF(gone)), 0);
	assert_string_equal(said_text(&said), "1+60 4+9 5+10 7+1");
	full = said_of("1 2 5 6 8");
	assert_int_equal(said__missing(&said, &full, 0), 2);
	assert_int_equal(said__missing(&said, &full, 1001 * NS_PER_S), 1);
	assert_int_equal(said__lost(&said, &full), 2); /* 2 and 6; 8 is new */
	assert_int_equal(said__expire(&said, 1009 * NS_PER_S), 2);
	assert_string_equal(said_text(&said), "1+60 5+10");
	more = said_of("");
	assert_int_equal(said__merge(&said, &more, &added), 0);
	said__free(&said);
	said__free(&fresh);
	said__free(&full);
	said__free(&more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),	     cmocka_unit_test(test_fit),
		cmocka_unit_test(test_steps),	     cmocka_unit_test(test_protected),
		cmocka_unit_test(test_shrink_guard), cmocka_unit_test(test_stale_after),
		cmocka_unit_test(test_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
