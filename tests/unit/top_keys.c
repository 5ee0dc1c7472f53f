// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keys and clicks make of `top`: which port is chosen, which page is open, how the ports are sorted and found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/text.h"
#include "screen.h"
#include "top/keys.h"
#include "top/terminal.h"

#define PORTS 20

static struct snapshot now;
static struct view view;

static int setup(void **state)
{
	(void)state;
	now = (struct snapshot){.port_count = PORTS + 1};
	for (unsigned i = 1; i <= PORTS; i++)
		now.ports[i] = (struct port_view){.port = i, .listening = true};
	view__init(&view);
	view.rates.now = &now;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	canvas__free(&canvas);
	return 0;
}

static void draw(void)
{
	assert_int_equal(canvas__clear(&canvas, 24, 80), 0);
	assert_int_equal(view__draw(&view, &canvas), 0);
}

static void press(int key)
{
	keys__press(&view, key);
	draw();
}

static void type(const char *text)
{
	for (; *text; text++)
		press(*text);
}

static void click(int row, int column)
{
	keys__click(&view, row, column);
	draw();
}

static void test_choosing(void **state)
{
	(void)state;
	draw();
	assert_int_equal(view.selected, VIEW_NO_PORT);
	press(TERMINAL_DOWN);
	assert_int_equal(view.selected, 1);
	press(TERMINAL_DOWN);
	assert_int_equal(view.selected, 2);
	press(TERMINAL_UP);
	press(TERMINAL_UP);
	assert_int_equal(view.selected, 1);
	press(TERMINAL_PAGE_DOWN);
	assert_int_equal(view.selected, 1 + view.shown);
	assert_true(view.first > 0);
	press(TERMINAL_END);
	assert_int_equal(view.selected, PORTS);
	assert_int_equal(view.first, PORTS - view.shown);
	press(TERMINAL_PAGE_UP);
	assert_int_equal(view.selected, PORTS - view.shown);
	press(TERMINAL_HOME);
	assert_int_equal(view.selected, 1);
	assert_int_equal(view.first, 0);
	now.ports[1].listening = false; /* it is gone: the next key chooses anew */
	press(TERMINAL_DOWN);
	assert_int_equal(view.selected, 2);
	now.port_count = 1;
	press(TERMINAL_DOWN);
	press('\n');
	assert_int_equal(view.page, VIEW_TABLE); /* there is no port to open */
}

static void test_pages(void **state)
{
	(void)state;
	draw();
	press('\n');
	assert_int_equal(view.page, VIEW_PORT);
	assert_int_equal(view.open, 1);
	press('s'); /* of the table only */
	press('r');
	press('a');
	assert_int_equal(view.choice.sort, column__find(COLUMN_SYNS));
	assert_false(view.choice.reverse || view.choice.active);
	press('h');
	assert_int_equal(view.page, VIEW_HELP);
	press(TERMINAL_DOWN);
	assert_int_equal(view.line, 1);
	press(TERMINAL_PAGE_DOWN);
	assert_int_equal(view.line, 1 + view.shown);
	press(TERMINAL_HOME);
	assert_int_equal(view.line, 0);
	press('?');
	assert_int_equal(view.page, VIEW_PORT);
	press('e');
	press('h');
	assert_int_equal(view.page, VIEW_HELP);
	press(27);
	assert_int_equal(view.page, VIEW_PORT);
	press(27);
	assert_int_equal(view.page, VIEW_TABLE);
	press('e');
	assert_int_equal(view.page, VIEW_EVENTS);
	press('e');
	assert_int_equal(view.page, VIEW_TABLE);
	press('p');
	assert_true(view.paused);
	press(' ');
	assert_false(view.paused);
	press('q');
	assert_true(view.quit);
}

static void test_finding(void **state)
{
	(void)state;
	draw();
	press('/');
	type("1q");
	press(TERMINAL_NOTHING); /* a second has passed, or the size has changed */
	press(TERMINAL_RESIZE);
	press(0xc3); /* of a character that is not of ASCII */
	press(0xbc);
	assert_string_equal(view.choice.find, "1q");
	assert_true(view.finding);
	assert_false(view.quit);
	check_row(23, "find: 1q_  Enter keeps it, Esc shows all ports");
	assert_int_equal(view.count, 0);
	press(TERMINAL_BACKSPACE);
	assert_int_equal(view.count, 11); /* 1, 10 to 19 */
	press('\n');
	assert_false(view.finding);
	assert_int_equal(view.count, 11);
	press('a');
	assert_int_equal(view.count, 0);
	press(27);
	assert_int_equal(view.count, PORTS);
	press('/');
	type("0123456789012345678901234567890123456789");
	assert_int_equal(strlen(view.choice.find), PORT_TABLE_FIND - 1);
	press(27);
	assert_int_equal(view.count, PORTS);
	press('/');
	type("2");
	press(TERMINAL_DOWN); /* ends the typing, and chooses */
	assert_false(view.finding);
	assert_int_equal(view.selected, 2);
	press('/');
	click(view.table_row + 1, 40); /* so does a click */
	assert_false(view.finding);
	assert_int_equal(view.selected, view.order[0]);
	press('/');
	press(127);
	press(TERMINAL_STOP);
	assert_true(view.quit);
}

static const char *sorted(void)
{
	return column__heading(view.choice.sort);
}

static void test_sorting(void **state)
{
	(void)state;
	draw();
	assert_string_equal(sorted(), "SYN/S");
	press('s');
	assert_string_equal(sorted(), "COURSE");
	press('S');
	press(TERMINAL_LEFT);
	assert_string_equal(sorted(), "WHO");
	press(TERMINAL_LEFT);
	assert_string_equal(sorted(), "PORT");
	press('r');
	assert_int_equal(view.order[0], PORTS);
	check_row(23, "q quit  p pause  h help  s sort: PORT reversed  ports 1-6 of 20  / find");
	press(TERMINAL_LEFT);
	assert_string_equal(sorted(), "RETX"); /* the last one without HTTP */
	assert_false(view.choice.reverse);
	press(TERMINAL_RIGHT);
	assert_string_equal(sorted(), "PORT");
	assert_int_equal(view.order[0], 1);
}

/* Row 3 has the headings: "PORT   WHO          SYN/S   COURSE BUDGET ..." */
static void test_mouse(void **state)
{
	(void)state;
	draw();
	click(view.table_row, 22);
	assert_string_equal(sorted(), "SYN/S");
	assert_true(view.choice.reverse);
	click(view.table_row, 22);
	assert_false(view.choice.reverse);
	click(view.table_row, 37);
	assert_string_equal(sorted(), "BUDGET");
	click(view.table_row, 0);
	assert_string_equal(sorted(), "PORT");
	click(view.table_row + 2, 40);
	assert_int_equal(view.selected, 2);
	assert_int_equal(view.page, VIEW_TABLE);
	press(TERMINAL_WHEEL_DOWN);
	assert_int_equal(view.first, 3);
	assert_int_equal(view.selected, 2);
	click(view.table_row + 2, 40);
	assert_int_equal(view.selected, 5);
	press(TERMINAL_WHEEL_UP);
	assert_int_equal(view.first, 0);
	click(view.table_row + 1 + (int)view.shown, 0); /* the heading of the states */
	click(0, 0);
	assert_int_equal(view.selected, 5);
	click(view.table_row + 5, 40);
	assert_int_equal(view.page, VIEW_PORT);
	assert_int_equal(view.open, 5);
	click(view.table_row, 22);
	assert_int_equal(view.page, VIEW_PORT);
}

/* No key twice, and each row of the table explains itself. */
static void test_table(void **state)
{
	bool seen[512] = {};

	(void)state;
	for (size_t i = 0; i < top_key_count; i++) {
		assert_true(*top_keys[i].keys && *top_keys[i].help);
		for (size_t j = 0; j < KEY_CODES && top_keys[i].codes[j]; j++) {
			assert_false(seen[top_keys[i].codes[j]]);
			seen[top_keys[i].codes[j]] = true;
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_choosing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sorting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mouse, setup, teardown),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
