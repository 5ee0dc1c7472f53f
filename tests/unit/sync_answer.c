// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers of LAPI's decision stream: those of 1.4.6 as they were recorded, the form of 1.7, and broken ones, each read
 * in pieces of any size. What is taken does not depend on where an answer is cut in pieces.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/text.h"
#include "sync/answer.h"
#include "system/clock.h"
#include "text/address.h"

#define ASKED_NS (1000 * NS_PER_S)
#define WRONG	 "it is JSON of another form"

static struct sync_options options;
static struct sync_source source;
static struct notes notes;

static int set_up(void **state)
{
	struct sync_settings settings;
	struct sync_source *added;

	(void)state;
	sync_options__defaults(&settings);
	added = sync_options__add(&settings, SYNC_CROWDSEC, true);
	assert_non_null(added);
	options = settings.options;
	source = *added;
	sync_options__free(&settings);
	return 0;
}

/* Reads `text` in pieces of `size`; shows what is taken: "ID PREFIX +SECONDS;...|-ID...|LEFT OUT|WRONG". */
static const char *shown(const char *text, size_t len, size_t size, bool is_full, bool is_whole)
{
	struct decision_rules rules = {&options, &source, 0, &notes};
	struct answer *answer = answer__begin(&rules, ASKED_NS, 8, is_full);
	static char buf[4096];
	struct answer_result result;
	char prefix[PRINT_PREFIX_LEN];
	size_t used = 0;

	notes__clear(&notes);
	assert_non_null(answer);
	for (size_t at = 0; at < len; at += size) {
		char *piece = malloc(size); /* so that a sanitizer sees what is read beyond it */
		size_t count = len - at < size ? len - at : size;

		assert_non_null(piece);
		memcpy(piece, text + at, count);
		if (answer__take(answer, piece, count))
			at = len;
		free(piece);
	}
	result = answer__end(answer, is_whole);
	for (size_t i = 0; i < result.fresh.count; i++)
		used += snprintf(buf + used, sizeof(buf) - used, "%" PRIu64 " %s +%" PRIu64 "; ",
				 result.fresh.all[i].id, print_prefix(prefix, &result.fresh.all[i].prefix),
				 (uint64_t)((result.fresh.all[i].ends_ns - ASKED_NS) / NS_PER_S));
	for (size_t i = 0; i < result.gone_count; i++)
		used += snprintf(buf + used, sizeof(buf) - used, "-%" PRIu64 "; ", result.gone[i]);
	for (size_t i = 0; i < FLEET_REJECTED_MAX; i++)
		if (result.rejected[i])
			used += snprintf(buf + used, sizeof(buf) - used, "reject %zu: %" PRIu64 "; ", i,
					 result.rejected[i]);
	snprintf(buf + used, sizeof(buf) - used, "%s", result.wrong ?: "");
	answer__free_result(&result);
	return buf;
}

/* The same in pieces of any size. */
static void check(const char *text, bool is_full, bool is_whole, const char *expected)
{
	size_t len = strlen(text);

	for (size_t size = 1; size <= len + 1; size++)
		assert_string_equal(shown(text, len, size, is_full, is_whole), expected);
}

#define DECISION(id, duration, scope, type, value)                                                                     \
	"{\"duration\":\"" duration "\",\"id\":" #id                                                                   \
	",\"origin\":\"cscli\",\"scenario\":\"manual 'ban' from 'proto'\","                                            \
	"\"scope\":\"" scope "\",\"type\":\"" type "\",\"value\":\"" value "\"}"

static void test_recorded(void **state)
{
	static const char delta[] = "{\"deleted\":null,\"new\":[" DECISION(11, "2.042738988s", "Ip", "ban", "192.0.2.11") ",\n " DECISION(2, "9m56.042736072s", "Range", "ban", "198.51.100.0/24") "," DECISION(
		3, "59m56.042735301s", "Ip", "ban",
		"2001:db8::1") "," DECISION(7, "59m57.04273468s", "Ip", "captcha",
					    "192.0.2.8") "," DECISION(8, "59m57.042734199s", "Ip", "whitelist",
								      "192.0.2.9") "," DECISION(9,
												"59m58."
												"042733687s",
												"Range", "ban",
												"203.0.113.77/"
												"24") "," DECISION(10,
														   "59m"
														   "58."
														   "042"
														   "733"
														   "286"
														   "s",
														   "Ip",
														   "ba"
														   "n",
														   "::"
														   "fff"
														   "f:"
														   "192"
														   ".0."
														   "2."
														   "99") "," DECISION(1,
																      "3h59m56.042732916s",
																      "Ip",
																      "ban",
																      "192.0.2.7") "," DECISION(4,
																				"23h59m56.04272987s",
																				"Range",
																				"ban",
																				"2001:db8:bad::/48") "]}";

	(void)state;
	check(delta, false, true,
	      "1 192.0.2.7 +14396; 2 198.51.100.0/24 +596; 3 2001:db8::1 +3596; 4 2001:db8:bad::/48 +86396; "
	      "9 203.0.113.0/24 +3598; 10 192.0.2.99 +3598; 11 192.0.2.11 +2; reject 4: 2; ");
	check("{\"deleted\":null,\"new\":null}", false, true, "");
	check("{\"deleted\":[" DECISION(11, "-2.14114498s", "Ip", "ban", "192.0.2.11") "],\"new\":null}", false, true,
	      "-11; ");
	/* In a full answer, what has ended is there for days. */
	check("{\"deleted\":[" DECISION(11, "-2.14114498s", "Ip", "ban", "192.0.2.11") "],\"new\":null}", true, true,
	      "");
	check("{\"deleted\":[" DECISION(13, "-45.636015ms", "Ip", "ban", "192.0.2.20") "," DECISION(
		      12, "-1.9s", "Ip", "ban", "192.0.2.20") "],\"new\":[" DECISION(14, "1h0m0s", "Ip", "ban",
										     "192.0.2.20") "]}",
	      false, true, "14 192.0.2.20 +3600; -12; -13; ");
	check("{\"deleted\":null,\"new\":[" DECISION(5, "59m52.75885493s", "Country", "ban", "FR") "," DECISION(
		      6, "59m52.758854218s", "AS", "ban", "64500") "]}",
	      false, true, "reject 3: 2; ");
}

/* In pages and whole seconds, with more members, `new` first. */
static void test_of_1_7(void **state)
{
	(void)state;
	check("{\"new\": "
	      "[{\"duration\":\"3h59m48s\",\"id\":7,\"origin\":\"CAPI\",\"scenario\":\"crowdsecurity/ssh-bf\","
	      "\"scope\":\"ip\",\"simulated\":false,\"type\":\"ban\",\"uuid\":\"f7a9-00\",\"value\":\"192.0.2.7\"},"
	      "{\"duration\":\"1h0m0s\",\"id\":8,\"origin\":\"CAPI\",\"scenario\":\"a\",\"scope\":\"Ip\","
	      "\"simulated\":true,\"type\":\"ban\",\"value\":\"192.0.2.8\"}], \"deleted\": [], "
	      "\"links\":{\"a\":[1,null]}}",
	      false, true, "7 192.0.2.7 +14388; reject 4: 1; ");
}

static void test_broken(void **state)
{
	static const struct {
		const char *text;
		bool is_cut; /* as the connection says */
		const char *expected;
	} rows[] = {
		{"", false, "it is empty"},
		{"", true, "it broke off"},
		{"<html>", false, "it is not JSON"},
		{"{\"deleted\":null,\"new\":[" DECISION(1, "1m0s", "Ip", "ban", "192.0.2.1") ",{\"id\":2", false,
		 "1 192.0.2.1 +60; it broke off"},
		{"{\"deleted\":null,\"new\":[" DECISION(1, "1m0s", "Ip", "ban", "192.0.2.1") "]}", true,
		 "1 192.0.2.1 +60; it broke off"},
		{"{\"deleted\":null}", false, "it lacks a list"},
		{"{\"message\":\"access forbidden\"}", false, "it lacks a list"},
		{"{\"new\":null,\"new\":null,\"deleted\":null}", false, "it has a list twice"},
		{"[]", false, WRONG},
		{"null", false, WRONG},
		{"{\"deleted\":null,\"new\":{\"id\":1}}", false, WRONG},
		{"{\"deleted\":null,\"new\":[1]}", false, WRONG},
		{"{\"deleted\":null,\"new\":[[]]}", false, WRONG},
		{"{\"deleted\":\"none\",\"new\":null}", false, WRONG},
		{"{\"deleted\":null,\"new\":null}}", false, "it is not JSON"},
		{"{\"x\":[[[[[[[[[]]]]]]]]],\"deleted\":null,\"new\":null}", false, "it is nested too deep"},
		{"{\"deleted\":null,\"new\":[" DECISION(1, "1 minute", "Ip", "ban", "192.0.2.1") "," DECISION(
			 2, "1m0s", "Ip", "ban",
			 "192.0.2.256") "," DECISION(3, "1m0s", "Ip", "ban",
						     "") ",{},{\"id\":null},{\"id\":\"x\"}," DECISION(4, "1m0s",
												      "Range", "ban",
												      "0.0.0.0/0") "]}",
		 false, "reject 2: 1; reject 5: 6; "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(rows[i].text, false, !rows[i].is_cut, rows[i].expected);
}

/* A value, or blanks, without an end take no memory; and no more decisions are taken than there is to be room for. */
static void test_bounds(void **state)
{
	static const char *const begins[] = {"{\"new\":[{\"value\":\"", "{\"", "{ "};
	static char text[300 << 10];
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(begins); i++) {
		memset(text, *begins[i] == '{' && begins[i][1] == ' ' ? ' ' : '9', sizeof(text));
		memcpy(text, begins[i], strlen(begins[i]));
		assert_string_equal(shown(text, sizeof(text), 1000, false, true), "it has a value that is too long");
	}
	used = sprintf(text, "{\"deleted\":null,\"new\":[");
	for (unsigned i = 1; i <= 10; i++)
		used += sprintf(
			text + used,
			"%s{\"duration\":\"60s\",\"id\":%u,\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.%u\"}",
			i > 1 ? "," : "", i, i);
	sprintf(text + used, "]}");
	assert_non_null(strstr(shown(text, strlen(text), 100, true, true), "8 192.0.2.8 +60; reject 0: 2; "));
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{"3h59m48.1s", 14388100000000},
		{"59m59.2s", 3599200000000},
		{"2.04s", 2040000000},
		{"-45.6ms", -45600000},
		{"1.5\xc2\xb5s", 1500},
		{"1.5us", 1500},
		{"7ns", 7},
		{"1h", 3600000000000},
		{"-2.5s", -2500000000},
		{"999999999h", 100LL * 365 * 86400 * 1000000000},
	};
	static const char *const none[] = {"", "-", "5", "h", "1d", "1 s", "1..5s", ".5s", "1e5s", "0x1s", "1h-5s"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(decision__duration(rows[i].text, &ns), 0);
		assert_int_equal(ns, rows[i].ns);
	}
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(decision__duration(none[i], &ns), -1);
}

static void test_filters(void **state)
{
	static const struct {
		const char *origins, *scenarios, *origin, *scenario;
		int place;
	} rows[] = {
		{"*", "*", "CAPI", "x", 0},
		{"cscli CAPI", "*", "CAPI", "x", 1},
		{"cscli CAPI", "*", "crowdsec", "x", -1},
		{"cscli, CAPI", "*", "CAPI", "x", 1},
		{"lists", "*", "lists", "firehol", 0},
		{"cscli lists:firehol", "*", "lists", "firehol", 1},
		{"cscli lists:firehol", "*", "lists", "other", -1},
		{"*", "contains ssh http", "CAPI", "crowdsecurity/http-probing", 0},
		{"*", "contains ssh http", "CAPI", "crowdsecurity/ftp-bf", -1},
		{"*", "not contains ssh", "CAPI", "crowdsecurity/ssh-bf", -1},
		{"*", "not contains ssh", "CAPI", "crowdsecurity/ftp-bf", 0},
		{"*", "a/b a/c", "CAPI", "a/c", 0},
		{"*", "a/b a/c", "CAPI", "a/cd", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sync_source_options with = {.origins = rows[i].origins, .scenarios = rows[i].scenarios};

		assert_int_equal(decision__place(&with, rows[i].origin, rows[i].scenario), rows[i].place);
	}
}

/* However long it is granted for, and whatever a table of fixed size has no room for. */
static void test_held_within(void **state)
{
	char scenario[32];

	(void)state;
	source.options.longest_ns = 60 * NS_PER_S;
	check("{\"deleted\":null,\"new\":[" DECISION(1, "48h0m0s", "Ip", "ban", "192.0.2.1") "]}", false, true,
	      "1 192.0.2.1 +60; ");
	set_up(NULL);
	notes__clear(&notes);
	for (unsigned i = 1; i < NOTES_MAX + 10; i++) {
		snprintf(scenario, sizeof(scenario), "scenario %u", i);
		assert_int_equal(notes__number(&notes, "crowdsec", "CAPI", scenario, 0), i < NOTES_MAX ? i : 0);
	}
	assert_int_equal(notes__number(&notes, "crowdsec", "CAPI", "scenario 7", 0), 7);
	notes__clear(&notes);
	assert_int_equal(notes__number(&notes, "crowdsec", "\x1b[2J", "", 0), 1);
	assert_string_equal(notes.all[1].text.origin, "?[2J");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_recorded, set_up),
		cmocka_unit_test_setup(test_of_1_7, set_up),
		cmocka_unit_test_setup(test_broken, set_up),
		cmocka_unit_test_setup(test_bounds, set_up),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_filters),
		cmocka_unit_test_setup(test_held_within, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
