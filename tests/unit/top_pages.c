// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of `top` beside its table, which ports are found, the course of their SYNs, and canvases of any size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "output/port_counters.h"
#include "top_stage.h"

static struct facts facts;
static struct course course;

static bool is_shown(int rows, const char *text)
{
	for (int i = 0; i < rows; i++)
		if (strstr(canvas__row(&canvas, i), text))
			return true;
	return false;
}

/* Keys, columns, and the reference's tables, all of it by scrolling; twice as much of it on a wide canvas. */
static void test_help_and_pause(void **state)
{
	struct view view = view_of_both();

	(void)state;
	view.page = VIEW_HELP;
	view.paused = true;
	draw(&view, 24, 80);
	check_row(1, "KEYS");
	check_row(2, "q                quit, as Ctrl-C does");
	check_row(23, "PAUSED  q quit  p resume  Esc back  arrows scroll  rates over 1.0 s");
	for (view.line = 0; !is_shown(24, "SHARE            of the SYNs passed"); view.line++)
		draw(&view, 24, 80);
	for (; !is_shown(24, "source_limit     "); view.line++)
		draw(&view, 24, 80);
	view.line = 100000;
	draw(&view, 24, 80);
	assert_in_range(view.line, 50, 500); /* bounded by what there is */
	assert_true(is_shown(24, "watches          "));
	view.line = 0;
	draw(&view, 60, 200);
	assert_true(is_shown(60, "SHARE            of the SYNs passed"));
	assert_true(is_shown(60, "source_limit     "));
}

/* Who listens; by process or number to be found. */
static void test_find(void **state)
{
	struct backlog backlogs[] = {{.port = 22, .pid = 7, .comm = "sshd"}, {.port = 80, .pid = 8, .comm = "nginx"}};
	struct view view = view_of_both();

	(void)state;
	facts = (struct facts){.backlogs = {backlogs, 2}};
	view.facts = &facts;
	draw(&view, 24, 80);
	check_row(4, "80     nginx        51.2k          5,123%  50.2k     34   999   256 !4,097/4,096");
	strcpy(view.choice.find, "SSH");
	draw(&view, 24, 80);
	assert_memory_equal(canvas__row(&canvas, 4), "22     sshd ", 12);
	assert_int_equal(view.count, 1);
	check_row(23, "q quit  p pause  h help  s sort: SYN/S  found: SSH (2 hidden)  rates over 1.0 s");
	strcpy(view.choice.find, "80");
	draw(&view, 24, 80);
	assert_int_equal(view.count, 2);
	strcpy(view.choice.find, "nothing");
	draw(&view, 24, 80);
	assert_int_equal(view.count, 0);
	assert_memory_equal(canvas__row(&canvas, 4), "STATE ", 6);
	*view.choice.find = '\0';
	view.choice.active = true;
	now.ports[3].half_open = 1;
	draw(&view, 24, 80);
	assert_int_equal(view.count, 2);
	assert_memory_equal(canvas__row(&canvas, 5), "8080- ", 6);
	view.choice.active = false;
	view.choice.sort = column("WHO");
	draw(&view, 24, 80);
	assert_memory_equal(canvas__row(&canvas, 4), "80     nginx", 12);
	assert_memory_equal(canvas__row(&canvas, 5), "22     sshd", 11);
}

/* A bar a look, as high as the rate; what is over the budget is red. A port that takes a slot begins anew. */
static void test_course(void **state)
{
	struct view view = view_of_both();

	(void)state;
	course__clear(&course);
	view.course = &course;
	for (unsigned i = 1; i <= 4; i++) {
		now.ports[2].syns = before.ports[2].syns + (i < 4 ? i * 250 : 2000);
		course__add(&course, &view.rates);
	}
	draw(&view, 24, 80);
	assert_memory_equal(canvas__row(&canvas, 4) + 26, "    \1\2\3\10", 8);
	assert_int_equal(style_at(4, 32), CANVAS_PLAIN);
	assert_int_equal(style_at(4, 33), CANVAS_BAD);
	assert_true(course__rate(&course, &now.ports[2], 0) == 2000);
	assert_true(course__rate(&course, &now.ports[2], 3) == 250);
	assert_true(course__rate(&course, &now.ports[2], 4) == RATE_UNKNOWN);
	now.ports[2].port = before.ports[2].port = 81;
	assert_true(course__rate(&course, &now.ports[2], 0) == RATE_UNKNOWN);
	course__add(&course, &view.rates);
	assert_true(course__rate(&course, &now.ports[2], 0) == 2000);
	assert_true(course__rate(&course, &now.ports[2], 1) == RATE_UNKNOWN);
	now.port_count = before.port_count = 2; /* it is away for a look */
	course__add(&course, &view.rates);
	now.port_count = before.port_count = 4;
	course__add(&course, &view.rates);
	assert_true(course__rate(&course, &now.ports[2], 0) == 2000);
	assert_true(course__rate(&course, &now.ports[2], 1) == RATE_UNKNOWN);
	assert_true(course__rate(&course, &now.ports[2], 2) == RATE_UNKNOWN);
	for (unsigned i = 0; i < 2 * COURSE_LOOKS; i++)
		course__add(&course, &view.rates);
	assert_true(course__rate(&course, &now.ports[2], COURSE_LOOKS - 1) == 2000);
	assert_true(course__rate(&course, &now.ports[2], COURSE_LOOKS) == RATE_UNKNOWN);
}

static void test_port_page(void **state)
{
	struct backlog backlogs[] = {{.port = 80, .pid = 8, .comm = "nginx"}};
	struct view view = view_of_both();

	(void)state;
	facts = (struct facts){.backlogs = {backlogs, 1}, .states_known = true, .served_count = 2};
	facts.states[STATE_ESTABLISHED] = 12345;
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &facts.served[0]);
	memset(&facts.served[1], 0, sizeof(facts.served[1]));
	now.ports[2].limited = 33;
	view.facts = &facts;
	view.page = VIEW_PORT;
	view.open = 80;
	draw(&view, 24, 80);
	check_row(1, "PORT 80  nginx (pid 8)");
	assert_true(is_shown(24, "budget: 1,000 SYN/s, then drop; now 51.2k SYN/s, 5123 % of it"));
	assert_true(is_shown(24, "served at 192.0.2.1, every address (protect)"));
	assert_true(is_shown(24, "half-open connections: 256; accept queue: 4,097 of 4,096, full"));
	assert_true(is_shown(24, "challenged               50.2k   50.2k"));
	assert_true(is_shown(24, "  source_limit              33      33"));
	assert_true(is_shown(24, "ESTABLISHED    12.3k"));
	assert_true(is_shown(24, "q quit  p pause  Esc back"));
	view.open = 8080;
	facts.served_count = 0;
	draw(&view, 24, 80);
	check_row(1, "PORT 8080  no listener any more");
	assert_true(is_shown(24, "served at no address that is known: a flood to it would pass"));
	view.open = 9;
	draw(&view, 24, 80);
	check_row(1, "port 9 is not counted any more; Esc goes back");
}

/* Each served address once, and as many as have a place. */
static void test_served(void **state)
{
	struct view view = view_of_both();

	(void)state;
	facts = (struct facts){.served_count = FACTS_ADDRESSES};
	for (unsigned i = 0; i < FACTS_ADDRESSES; i++)
		facts.served[i].bytes[15] = 1 + i % 2;
	view.facts = &facts;
	view.page = VIEW_PORT;
	view.open = 80;
	draw(&view, 24, 80);
	assert_true(is_shown(24, "served at ::1, ::2  "));
	facts.served[FACTS_ADDRESSES - 1].bytes[15] = 3;
	draw(&view, 24, 80);
	assert_true(is_shown(24, "served at ::1, ::2 and more  "));
	for (unsigned i = 0; i < FACTS_ADDRESSES; i++)
		memset(&facts.served[i], 0x10 + i, sizeof(facts.served[i]));
	draw(&view, 24, 80);
	assert_true(is_shown(24, "and more  "));
	facts.served_count = 2;
	draw(&view, 24, 80);
	assert_false(is_shown(24, "and more"));
}

/* What has no place is scrolled to. Once the run is gone, nothing tells of what it did. */
static void test_port_page_scrolls(void **state)
{
	struct view view = view_of_both();

	(void)state;
	view.page = VIEW_PORT;
	view.open = 80;
	now.ports[2].armed = true;
	now.ports[2].attack.under_attack = true;
	draw(&view, 12, 80);
	check_row(1, "PORT 80  its process is not known");
	assert_true(is_shown(12, "port 80 is under SYN attack"));
	assert_false(is_shown(12, "EVENTS"));
	view.line = 1;
	draw(&view, 12, 80);
	assert_false(is_shown(12, "PORT 80"));
	view.line = 1000;
	draw(&view, 12, 80);
	assert_in_range(view.line, 5, 50);
	assert_true(is_shown(12, "EVENTS"));
	draw(&view, 200, 80);
	assert_int_equal(view.line, 0);
	assert_true(is_shown(200, "budget: "));
	view.run = VIEW_GONE;
	draw(&view, 200, 80);
	assert_false(is_shown(200, "under SYN attack"));
	assert_false(is_shown(200, "budget: "));
	assert_false(is_shown(200, "served at"));
	view.open = 0;
	draw(&view, 200, 80);
	assert_false(is_shown(200, "EVENTS"));
}

/* Every counter that has a heading for `top` has a column. */
static void test_columns(void **state)
{
	struct column_layout layout;

	(void)state;
	for (unsigned i = 0; i < PORT_COUNTER_MAX; i++)
		if (*port_counters[i].top)
			assert_string_equal(column__heading(column(port_counters[i].top)), port_counters[i].top);
	for (int width = 6; width < 400; width++) {
		int end = 0;

		column__lay_out(&layout, width % 2, width % column__count(width % 2), width);
		for (unsigned i = 0; i < layout.count; i++) {
			assert_int_equal(layout.cells[i].from, end + (i > 0));
			end = layout.cells[i].from + layout.cells[i].width;
		}
		assert_true(end <= width);
		if (width > 20) /* what is sorted by is shown */
			assert_true(layout.count > 1);
	}
}

/* On a small canvas the ports keep some lines, then the states get the rest; on none is anything written beside it. */
static void test_small(void **state)
{
	struct view view = view_of_both();
	int rows, columns;

	(void)state;
	draw(&view, 12, 40);
	check_row(3, "PORT   SYN/S CHAL/S EST/S        QUEUE");
	check_row(4, "80     51.2k  50.2k   999 !4,097/4,096");
	assert_memory_equal(canvas__row(&canvas, 6), "8080-", 5);
	check_row(7, "STATE            NOW    IN/S   OUT/S  VE");
	check_row(8, "ESTABLISHED    1,234     999      12  ch");
	check_row(10, "lost: ring 0 reentry 0 census 0 http 0");
	facts = (struct facts){.states_known = true};
	course__clear(&course);
	course__add(&course, &view.rates);
	view.facts = &facts;
	view.course = &course;
	view.open = 80;
	for (view.page = VIEW_TABLE; view.page <= VIEW_HELP; view.page++)
		for (rows = 1; rows < 30; rows++)
			for (columns = 1; columns < 90; columns += 11)
				draw(&view, rows, columns);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_help_and_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_course, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_served, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_page_scrolls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
