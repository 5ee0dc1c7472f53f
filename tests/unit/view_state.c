// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which states of protection `top` shows on a small terminal, where the armed ports have their sentence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "screen.h"
#include "top/view.h"

static struct snapshot now = {
	.meta = {.pid = 42, .port_budget = 1000, .interfaces = 1, .interface = {{.ifindex = 3, .name = "eth0"}}},
	.port_count = 3,
	.ports = {[1] = {.port = 22, .listening = true, .armed = 1},
		  [2] = {.port = 80,
			 .listening = true,
			 .reachable = 1,
			 .budget = 1000,
			 .accept_full = 1,
			 .accept_queue = 6,
			 .accept_limit = 5}},
};

static void draw(void)
{
	struct view view;

	view__init(&view);
	view.rates.now = &now;
	assert_int_equal(canvas__clear(&canvas, 24, 80), 0);
	assert_int_equal(view__draw(&view, &canvas), 0);
}

static void test_warning_gives_way(void **state)
{
	(void)state;
	now.ports[2].recent = (struct port_recent){.seconds = 10}; /* it is not served */
	draw();
	check_row(2, "port 22 is over its budget: 0 SYN/s from about 0 sources in 10 s, 0.0 % of");
}

static void test_critical_does_not(void **state)
{
	(void)state;
	now.ports[2].recent = (struct port_recent){.seconds = 10, .syns = 10};
	draw();
	check_row(2, "CRITICAL: an accept queue of port 80 is full (6 of 5, over all its listeners)");
	assert_int_equal(style_at(2, 0), CANVAS_BAD);
	check_row(3, "port 22 is over its budget: 0 SYN/s from about 0 sources in 10 s, 0.0 % of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warning_gives_way),
		cmocka_unit_test(test_critical_does_not),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	canvas__free(&canvas);
	return failed;
}
