// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the log says of the state of protection, second by second.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "lib/capture.h"
#include "run/state_log.h"

static struct snapshot snapshot = {
	.port_count = 2,
	.ports = {[1] = {.port = 80, .accept_queue = 6, .accept_limit = 5}},
	.meta = {.interfaces = 1, .interface = {{.name = "eth1"}}},
};

/* Lets the state hold for so many seconds; what is logged. */
static const char *hold(struct state_log *log, unsigned seconds, enum protection_row row, size_t port)
{
	struct protection protection = {
		.snapshot = &snapshot, .host = row, .port = port, .ports = {PROTECTION_ROW_MAX, PROTECTION_ROW_MAX}};
	static struct capture said;

	capture_begin(&said, STDERR_FILENO);
	for (unsigned i = 0; i < seconds; i++)
		state_log__note(log, &protection);
	return capture_end(&said);
}

#define CRITICAL_LINE                                                                                                  \
	"synwarden: CRITICAL: an accept queue of port 80 is full (6 of 5, over all its listeners); fix: ss -ltnp "     \
	"'sport = :80'\n"
#define END_LINE "synwarden: no longer critical: PROTECTED: listening ports: 0; no client connected in the last 0 s\n"

static void test_critical_and_its_end(void **state)
{
	struct state_log log = {};

	(void)state;
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_ALL_QUIET, 0), "");
	assert_string_equal(hold(&log, 2, PROTECTION_ROW_QUEUE_FULL, 1), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_QUEUE_FULL, 1), CRITICAL_LINE);
	assert_string_equal(hold(&log, 2, PROTECTION_ROW_ALL_QUIET, 0), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_ALL_QUIET, 0), END_LINE);
}

static void test_gone_ends_nothing(void **state)
{
	struct state_log log = {};

	(void)state;
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_ALL_GONE, 0), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_QUEUE_FULL, 1), CRITICAL_LINE);
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_INTERFACE_GONE, 0), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_ALL_GONE, 0), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_QUEUE_FULL, 1), "");
	assert_string_equal(hold(&log, 9, PROTECTION_ROW_ALL_QUIET, 0), END_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_critical_and_its_end),
		cmocka_unit_test(test_gone_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
