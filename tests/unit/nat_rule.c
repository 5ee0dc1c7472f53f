// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a rule that changes destinations means: which ports it may translate, and what it redirects to this host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "system/nat_rule.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))
#define V4(third, last)                                                                                                \
	{                                                                                                              \
		.bytes = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 99, [14] = third, [15] = last }                 \
	}
#define ANYWHERE                                                                                                       \
	{                                                                                                              \
		.bytes = { 0 }                                                                                         \
	}

/* 10.99.0.1, and all of 10.99.4.0/23 */
static struct prefix own[] = {
	{.prefixlen = 128, .words = {0, 0, 0, 0}},
	{.prefixlen = 96 + 23, .words = {0, 0, 0, 0}},
};

static struct nat_reading reading_into(struct redirects *redirects)
{
	own[0].words[2] = own[1].words[2] = htonl(0xffff);
	own[0].words[3] = htonl(0x0a630001);
	own[1].words[3] = htonl(0x0a630400);
	*redirects = (struct redirects){};
	return (struct nat_reading){redirects, {.prefixes = own, .prefix_count = COUNT_OF(own)}};
}

static void test_rules(void **state)
{
	static const struct {
		const char *name;
		struct nat_rule rule;
		bool translated, unsure, named;
	} rows[] = {
		{"no translation", {IPPROTO_TCP, 85, false, false, false, 0, ANYWHERE, false}, false, false, false},
		{"MASQUERADE", {IPPROTO_TCP, 85, false, false, false, 0, ANYWHERE, true}, false, false, false},
		{"MASQUERADE of any protocol", {0, 0, false, false, false, 0, ANYWHERE, true}, false, false, false},
		{"MASQUERADE of UDP", {IPPROTO_UDP, 85, false, false, false, 0, ANYWHERE, true}, false, false, false},
		{"REDIRECT", {IPPROTO_TCP, 85, true, false, true, 8090, ANYWHERE, false}, true, false, true},
		{"REDIRECT of any protocol", {0, 85, true, false, true, 8090, ANYWHERE, false}, true, false, true},
		{"REDIRECT of UDP", {IPPROTO_UDP, 85, true, false, true, 8090, ANYWHERE, false}, false, false, false},
		{"REDIRECT to the same port",
		 {IPPROTO_TCP, 85, true, false, true, 85, ANYWHERE, false},
		 true,
		 false,
		 false},
		{"REDIRECT that keeps the port",
		 {IPPROTO_TCP, 85, true, false, false, 0, ANYWHERE, false},
		 true,
		 false,
		 false},
		{"REDIRECT of ports unknown",
		 {IPPROTO_TCP, 0, true, false, true, 8090, ANYWHERE, false},
		 false,
		 true,
		 true},
		{"DNAT to here", {IPPROTO_TCP, 85, true, true, true, 8090, V4(0, 1), false}, true, false, true},
		{"DNAT into a local prefix",
		 {IPPROTO_TCP, 85, true, true, true, 8090, V4(5, 255), false},
		 true,
		 false,
		 true},
		{"DNAT beside it", {IPPROTO_TCP, 85, true, true, true, 8090, V4(6, 0), false}, true, false, false},
		{"DNAT elsewhere", {IPPROTO_TCP, 85, true, true, true, 8090, V4(0, 2), false}, true, false, false},
		{"DNAT to an unknown address",
		 {IPPROTO_TCP, 85, true, true, true, 8090, ANYWHERE, false},
		 true,
		 false,
		 false},
	};
	struct redirects redirects;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct nat_reading reading = reading_into(&redirects);

		nat_rule__note(&reading, &rows[i].rule);
		print_message("%s\n", rows[i].name);
		assert_int_equal(redirects__may_translate(&redirects, 85), rows[i].translated || rows[i].unsure);
		assert_int_equal(redirects__may_translate(&redirects, 84), rows[i].unsure);
		assert_int_equal(redirects.masquerades,
				 rows[i].rule.masquerades && rows[i].rule.protocol != IPPROTO_UDP);
		assert_int_equal(redirects.count, rows[i].named);
		if (rows[i].named)
			assert_int_equal(redirects.all[0].to, rows[i].rule.to);
	}
}

/* More than there is room for are not named, and still known to be translated. */
static void test_many(void **state)
{
	struct redirects redirects;
	struct nat_reading reading = reading_into(&redirects);

	(void)state;
	for (uint16_t port = 1; port < 1000; port++)
		nat_rule__note(&reading,
			       &(struct nat_rule){.port = port, .translates = true, .moves_port = true, .to = 8090});
	assert_int_equal(redirects.count, REDIRECTS_MAX);
	assert_true(redirects__may_translate(&redirects, 999));
	assert_false(redirects__may_translate(&redirects, 1000));
	assert_false(redirects__may_translate(&redirects, 65535));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
