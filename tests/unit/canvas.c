// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a screen is made of: pages of clean text with styles, bars, and rates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/text.h"
#include "screen.h"
#include "top/rates.h"

static int teardown(void **state)
{
	(void)state;
	canvas__free(&canvas);
	return 0;
}

static void test_page(void **state)
{
	(void)state;
	canvas__clear(&canvas, 3, 10);
	assert_int_equal(canvas__put(&canvas, 0, 2, CANVAS_BAD, "%s", "a\tb\033[\xc3\xa9~"), 10);
	check_row(0, "  a?b?[??~");
	assert_int_equal(style_at(0, 1), CANVAS_PLAIN);
	assert_int_equal(style_at(0, 2), CANVAS_BAD);
	assert_int_equal(canvas__put(&canvas, 1, 8, CANVAS_BOLD, "long"), 12);
	check_row(1, "        lo");
	canvas__put(&canvas, 3, 0, CANVAS_BOLD, "below");
	canvas__put(&canvas, -1, 0, CANVAS_BOLD, "above");
	check_row(2, "");
	canvas__blank(&canvas, 1, CANVAS_HEADING);
	check_row(1, "");
	assert_int_equal(style_at(1, 9), CANVAS_HEADING);
}

static void test_wrap(void **state)
{
	(void)state;
	canvas__clear(&canvas, 4, 10);
	assert_int_equal(canvas__wrap(&canvas, 0, 4, CANVAS_PLAIN, "one two three fourteen-long!"), 4);
	check_row(0, "one two");
	check_row(1, "three");
	check_row(2, "fourteen-l");
	check_row(3, "ong!");
	canvas__clear(&canvas, 4, 10);
	assert_int_equal(canvas__wrap(&canvas, 1, 1, CANVAS_PLAIN, "ten chars. more"), 1);
	check_row(1, "ten chars.");
	check_row(2, "");
	assert_int_equal(canvas__wrap(&canvas, 0, 4, CANVAS_PLAIN, ""), 0);
}

/* Bars are bytes of their own, which no text makes. */
static void test_bars(void **state)
{
	(void)state;
	canvas__clear(&canvas, 2, 4);
	canvas__bar(&canvas, 0, 0, CANVAS_GOOD, 0);
	canvas__bar(&canvas, 0, 1, CANVAS_GOOD, 1);
	canvas__bar(&canvas, 0, 2, CANVAS_BAD, CANVAS_LEVELS);
	canvas__bar(&canvas, 0, 3, CANVAS_BAD, 100);
	canvas__bar(&canvas, 0, 4, CANVAS_BAD, 3);
	canvas__bar(&canvas, 2, 0, CANVAS_BAD, 3);
	check_row(0, " \1\10\10");
	check_row(1, "");
	assert_int_equal(style_at(0, 0), CANVAS_PLAIN);
	assert_int_equal(style_at(0, 2), CANVAS_BAD);
	canvas__put(&canvas, 1, 0, CANVAS_PLAIN, "a\1b");
	check_row(1, "a?b");
	canvas__restyle(&canvas, 1, CANVAS_CHOSEN);
	check_row(1, "a?b");
	assert_int_equal(style_at(1, 3), CANVAS_CHOSEN);
}

static void test_rate_text(void **state)
{
	static const struct {
		double rate;
		const char *text;
	} rows[] = {
		{RATE_UNKNOWN, "-"}, {0, "0"},	 {0.01, "<0.1"}, {0.1, "0.1"},	     {0.34, "0.3"},
		{0.96, "1"},	     {1.4, "1"}, {1.5, "2"},	 {48210.2, "48.2k"}, {999999, "999k"},
	};
	char buf[PRINT_NUMBER_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(rates__text(buf, rows[i].rate), rows[i].text);
}

static void test_rates(void **state)
{
	static struct snapshot before, now;
	const struct rates both = {&before, &now}, one = {NULL, &now}, same = {&now, &now};

	(void)state;
	before.taken_ns = 1;
	now.taken_ns = 1 + 4 * 1000000000ULL;
	assert_true(rates__seconds(&both) == 4);
	assert_true(rates__of(&both, 10, 20) == 2.5);
	assert_true(rates__of(&both, 20, 20) == 0);
	assert_true(rates__of(&both, 20, 10) == RATE_UNKNOWN);
	assert_true(rates__of(&one, 0, 10) == RATE_UNKNOWN);
	assert_true(rates__of(&same, 0, 10) == RATE_UNKNOWN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_page, teardown),
		cmocka_unit_test_teardown(test_wrap, teardown),
		cmocka_unit_test_teardown(test_bars, teardown),
		cmocka_unit_test(test_rate_text),
		cmocka_unit_test(test_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
