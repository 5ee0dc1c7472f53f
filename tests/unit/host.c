// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host headers that name this host, and those of other sites whose name was made to resolve to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"
#include "server/host.h"

static void test_hosts(void **state)
{
	static const struct {
		const char *host, *names;
		bool ours;
	} rows[] = {
		{NULL, NULL, true},
		{"127.0.0.1", NULL, true},
		{"127.0.0.1:9798", NULL, true},
		{"192.0.2.1:9798", NULL, true},
		{"[::1]", NULL, true},
		{"[2001:db8::1]:9798", NULL, true},
		{"localhost", NULL, true},
		{"LocalHost:9798", NULL, true},
		{"localhost.", NULL, true},
		{"", NULL, false},
		{"evil.example", NULL, false},
		{"evil.example:9798", NULL, false},
		{"localhost.evil.example", NULL, false},
		{"127.0.0.1.evil.example", NULL, false},
		{"127.0.0.1:x", NULL, false},
		{"[::1", NULL, false},
		{"[::1]evil.example", NULL, false},
		{"[evil.example]", NULL, false},
		{"[127.0.0.1]", NULL, false},
		{"::1", NULL, false},
		{"localhost:9798@evil.example", NULL, false},
		{"web.example", "web.example", true},
		{"WEB.example:443", "a.example,web.example", true},
		{"web.example", "web.example.org,b", false},
		{"eb.example", "web.example", false},
		{"web.example,b", "web.example,b", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (host__is_ours(rows[i].host, rows[i].names) != rows[i].ours)
			fail_msg("%s, %s", rows[i].host, rows[i].names);
}

static void test_own_name(void **state)
{
	char own[256] = "", longer[300];

	(void)state;
	assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
	assert_true(host__is_ours(own, NULL));
	snprintf(longer, sizeof(longer), "%s.evil.example", own);
	assert_false(host__is_ours(longer, NULL));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(host__is_ours(longer, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
