// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `top` shows, to the letter: the table of ports and its order, the smaller tables, and the layout at several
 * sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "top_stage.h"

/* Nothing essential is missing at 80 x 24, and this is all of it. */
static void test_80x24(void **state)
{
	static const char *const rows[] = {
		"synwarden is running (pid 42), counting since 2026-01-02T03:04:05Z (12m05s)",
		"budget 1,000 SYN/s (then challenge), on eth0 (native)",
		"no port is over its budget",
		"PORT   WHO          SYN/S   COURSE BUDGET CHAL/S DROP/S EST/S  HALF        QUEUE",
		"80     -            51.2k          5,123%  50.2k     34   999   256 !4,097/4,096",
		"22     -                0               -      0      0     0     0        0/128",
		"8080-  -                0               -      0      0     0     0            -",
		"STATE            NOW    IN/S   OUT/S  VERDICT   REASON              /S   TOTAL",
		"ESTABLISHED    1,234     999      12  challenge challenged       50.2k   50.2k",
		"NEW_SYN_RECV     256       -       -  pass      syn              1,000   1,000",
		"TIME_WAIT          5       5       -  drop      blocked              0   70.0k",
		"LISTEN             0       0       -  SOURCES: NO LIMIT             /S   TOTAL",
		"SYN_RECV           0       0     999  CONNECTION ENDED BY           /S   TOTAL",
		"FIN_WAIT1          0      12       0  was open  time_wait            5       5",
		"FIN_WAIT2          0       0       5  never     refused              2       2",
		"                                      RESETS, RETRANSMITS           /S   TOTAL",
		"                                      sent      reset                3       3",
		"EVENTS, THE LAST FIRST (UTC)",
		"unknown: see synwarden events",
		"",
		"",
		"",
		"lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0",
		"q quit  p pause  h help  s sort: SYN/S  rates over 1.0 s  / find  Enter port",
	};
	struct view view = view_of_both();
	size_t i;

	(void)state;
	draw(&view, 24, 80);
	for (i = 0; i < COUNT_OF(rows); i++)
		check_row(i, rows[i]);
	assert_int_equal(style_at(3, 20), CANVAS_BOLD); /* SYN/S, by which it is sorted */
	assert_int_equal(style_at(3, 29), CANVAS_HEADING);
	assert_int_equal(style_at(8, 38), CANVAS_WARN);
	assert_int_equal(style_at(9, 38), CANVAS_GOOD);
	assert_int_equal(style_at(10, 38), CANVAS_BAD);
}

static void test_120x40(void **state)
{
	struct view view = view_of_both();

	(void)state;
	draw(&view, 40, 120);
	check_row(3, "PORT   WHO             SYN/S        COURSE BUDGET PASS/S CHAL/S ANSW/S DROP/S EST/S SHARE  HALF"
		     "        QUEUE LDROP  RETX");
	check_row(4, "80     -               51.2k               5,123%  1,000  50.2k    200     34   999     -   256"
		     " !4,097/4,096 1.23M 12.3k");
	check_row(7, "STATE            NOW    IN/S   OUT/S  VERDICT   REASON              /S   TOTAL"
		     "  CONNECTION ENDED BY           /S   TOTAL");
	check_row(8, "ESTABLISHED    1,234     999      12  challenge challenged       50.2k   50.2k"
		     "  was open  time_wait            5       5");
	check_row(38, "lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0 ports 0 answers 0 "
		      "watches 0");
}

/* Without an earlier snapshot there are counts, and no rate is made up. */
static void test_first_look(void **state)
{
	struct view view = view_of_both();

	(void)state;
	view.rates.before = NULL;
	draw(&view, 24, 80);
	check_row(4, "22     -                -               -      -      -     -     0        0/128");
	check_row(5, "80     -                -               -      -      -     -   256 !4,097/4,096");
	check_row(8, "ESTABLISHED    1,234       -       -  drop      blocked              -   70.0k");
	check_row(23, "q quit  p pause  h help  s sort: SYN/S  / find  Enter port  e events  a active");
}

static void test_share(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[1].completed = 3; /* some over an interface that is not filtered */
	draw(&view, 24, 120);
	check_row(5, "22     -                   0                    -      0      0      0      0     3     -     0"
		     "        0/128     0     0");
	now.ports[1].passed = now.ports[1].syns = 2;
	draw(&view, 24, 120);
	check_row(5, "22     -                   2                    -      2      0      0      0     3  100%     0"
		     "        0/128     0     0");
}

static void check_order(const char *heading, bool reverse, const char *first, const char *second, const char *third)
{
	const char *ports[] = {first, second, third};
	struct view view = view_of_both();
	int i;

	view.choice.sort = column(heading);
	view.choice.reverse = reverse;
	draw(&view, 24, 80);
	for (i = 0; i < 3; i++)
		assert_memory_equal(canvas__row(&canvas, 4 + i), ports[i], strlen(ports[i]));
}

static void test_order(void **state)
{
	(void)state;
	now.ports[1].passed = now.ports[1].syns = 10;
	now.ports[1].completed = 5;
	now.ports[3].half_open = 300;
	assert_int_equal(column__count(false), 15);
	check_order("PORT", false, "22 ", "80 ", "8080-");
	check_order("PORT", true, "8080-", "80 ", "22 ");
	check_order("SYN/S", false, "80 ", "22 ", "8080-");
	check_order("SYN/S", true, "8080-", "22 ", "80 ");
	check_order("SHARE", false, "22 ", "80 ", "8080-"); /* the smallest first, what is not known last */
	check_order("SHARE", true, "22 ", "80 ", "8080-");
	check_order("BUDGET", false, "80 ", "22 ", "8080-");
	check_order("BUDGET", true, "80 ", "22 ", "8080-");
	check_order("HALF", false, "8080-", "80 ", "22 ");
	check_order("RETX", false, "80 ", "22 ", "8080-");
}

/* Where HTTP is counted, two columns more, for which two others give way where there is no room for all. */
static void test_http(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.http = true;
	before.ports[2].http.requests[HTTP_SERVER_ERROR] = 1000;
	now.ports[2].http = (struct http_count){.requests = {1, 0, 12330, 0, 0, 1015}};
	now.ports[1].http.requests[HTTP_UNANSWERED] = 3;
	assert_int_equal(column__count(true), 17);
	draw(&view, 24, 80);
	check_row(3, "PORT   SYN/S    COURSE BUDGET CHAL/S DROP/S EST/S  HALF        QUEUE REQ/S   5XX");
	check_row(4, "80     51.2k           5,123%  50.2k     34   999   256 !4,097/4,096 12.3k  0.1%");
	check_row(5, "22         0                -      0      0     0     0        0/128     3  0.0%");
	check_row(6, "8080-      0                -      0      0     0     0            -     0     -");
	check_order("REQ/S", false, "80 ", "22 ", "8080-");
	check_order("5XX", false, "80 ", "22 ", "8080-"); /* the largest first */
	now.http = false; /* of a run that does not count it, sorted by what the last one had */
	view.choice.sort = column("5XX");
	draw(&view, 24, 80);
	assert_int_equal(view.choice.sort, column(COLUMN_SYNS));
}

static void test_other_is_shown_for_its_syns(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[0].syns = now.ports[0].dropped = 100000;
	draw(&view, 24, 80);
	check_row(4, "other  -             100k               -      0   100k     0     0            -");
}

/* A port that began to be listened on in between. */
static void test_new_port(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[4] = now.ports[3];
	now.ports[3] = (struct port_view){.port = 443, .listening = true, .syns = 60, .passed = 60};
	now.port_count = 5;
	view.choice.sort = column("PORT");
	draw(&view, 24, 80);
	check_row(6, "443    -               60               -      0      0     0     0          0/0");
}

static void test_scroll(void **state)
{
	struct view view = view_of_both();
	size_t i;

	(void)state;
	now.port_count = 101;
	for (i = 1; i < now.port_count; i++)
		now.ports[i] = (struct port_view){.port = i, .listening = true};
	view.first = 3;
	draw(&view, 24, 80);
	assert_int_equal(view.shown, 5);
	assert_memory_equal(canvas__row(&canvas, 4), "4 ", 2);
	assert_memory_equal(canvas__row(&canvas, 8), "8 ", 2);
	check_row(23, "q quit  p pause  h help  s sort: SYN/S  ports 4-8 of 100  rates over 1.0 s");
	view.selected = 50;
	view.follow = true;
	draw(&view, 24, 80);
	assert_int_equal(view.first, 45); /* the last one shown */
	assert_int_equal(style_at(8, 0), CANVAS_CHOSEN);
	view.first = 1000;
	draw(&view, 24, 80);
	assert_int_equal(view.first, 95);
	assert_memory_equal(canvas__row(&canvas, 8), "100 ", 4);
	draw(&view, 60, 200);
	assert_int_equal(view.shown, 29);
	check_row(58, "lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0 ports 0 answers 0 "
		      "watches 0");
}

static void test_alarms(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[1].armed = 1;
	now.ports[1].attack = (struct attack){.syn_rate = 99999, .completed_permille = 990};
	draw(&view, 24, 80);
	check_row(2, "port 22 is over its budget: 99,999 SYN/s from about 0 sources in 10 s, 99.0 % of");
	check_row(3, "handshakes complete, 0 challenges unanswered");
	assert_int_equal(style_at(2, 0), CANVAS_WARN);
	assert_memory_equal(canvas__row(&canvas, 6), "22* ", 4);

	now.ports[2].armed = 1;
	now.ports[2].attack = (struct attack){
		.under_attack = 1, .completed_permille = 12, .syn_rate = 51234, .sources = 40000, .unanswered = 50000};
	draw(&view, 24, 80);
	check_row(2, "port 80 is under SYN attack: 51,234 SYN/s from about 40,000 sources in 10 s, 1.2");
	check_row(3, "% of handshakes complete, 50,000 challenges unanswered; 1 more armed");
	assert_int_equal(style_at(2, 0), CANVAS_BAD);
	assert_memory_equal(canvas__row(&canvas, 5), "80! ", 4);
	assert_int_equal(style_at(5, 0), CANVAS_BAD);

	draw(&view, 40, 200);
	assert_memory_equal(canvas__row(&canvas, 2), "port 80 is under SYN attack:", 28);
	assert_memory_equal(canvas__row(&canvas, 3), "port 22 is over its budget:", 27);

	now.ports[1].attack.under_attack = 1;
	now.ports[1].attack.syn_rate = 10;
	draw(&view, 24, 80);
	check_row(3, "% of handshakes complete, 50,000 challenges unanswered; also under attack: 22");
}

static void test_state_of_the_run(void **state)
{
	struct view view = view_of_both();

	(void)state;
	view.run = VIEW_LEFT;
	draw(&view, 24, 80);
	check_row(0, "! no run is alive: its filter is still attached, socket counts are old;");
	check_row(1, "synwarden detach removes it");
	view.run = VIEW_GONE;
	draw(&view, 24, 80);
	check_row(0, "! the run has ended and removed its filter: these are its last counts; a new run");
	check_row(1, "will be shown");
	check_row(3, "PORT   WHO          SYN/S   COURSE BUDGET CHAL/S DROP/S EST/S  HALF        QUEUE");
	assert_int_equal(style_at(0, 0), CANVAS_WARN);
}

static void test_setup_line(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.meta.dry_run = 1;
	now.meta.challenge = 0;
	now.meta.source_limit = 100;
	now.meta.interfaces = 2;
	memcpy(now.meta.interface[1].name, "e\033[2J", 6);
	draw(&view, 24, 80);
	check_row(1, "dry run: everything passes; budget 1,000 SYN/s (then drop), source limit 100");
	check_row(2, "SYN/s, on eth0 (native), e?[2J (gone)");
	now.meta.interface[1].ifindex = 4;
	draw(&view, 24, 80);
	check_row(2, "SYN/s, on eth0 (native), e?[2J (generic)");
	assert_int_equal(style_at(1, 0), CANVAS_WARN);
}

static void test_sources(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.meta.source_limit = before.meta.source_limit = 100;
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &before.sources[0].addr);
	before.sources[0].dropped = 1000;
	before.source_count = 1;
	now.sources[1] = (struct source_view){.addr = before.sources[0].addr, .dropped = 1500};
	inet_pton(AF_INET6, "2001:db8:1111:2222::", &now.sources[0].addr);
	now.sources[0].dropped = 9000000;
	now.source_count = 2;
	draw(&view, 24, 120);
	check_row(11, "LISTEN             0       0       -  MOST LIMITED SOURCES          /S   TOTAL"
		      "  sent      reset                3       3");
	check_row(12, "SYN_RECV           0       0     999  192.0.2.1                    500   1,500");
	check_row(13, "FIN_WAIT1          0      12       0  2001:db8:1111:2222::/64        -   9.00M");
}

static void test_losses(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.losses[LOSS_REENTRY] = 12;
	draw(&view, 24, 80);
	check_row(22, "lost: ring 0 reentry 12 census 0 storage 0 closing 0 http 0 sources 0 served 0");
	assert_int_equal(style_at(22, 6), CANVAS_PLAIN);
	assert_int_equal(style_at(22, 13), CANVAS_BAD);
	now.losses[LOSS_WATCHES] = 7;
	draw(&view, 24, 80);
	check_row(22, "lost: ring 0 reentry 12 census 0 storage 0 closing 0 http 0 sources 0 watches 7");
	assert_int_equal(style_at(22, 78), CANVAS_BAD);
	for (int i = 0; i < LOSS_MAX; i++)
		now.losses[i] = 123456;
	draw(&view, 24, 80);
	check_row(22, "lost: ring 123k reentry 123k census 123k storage 123k closing 123k and 6 more");
	draw(&view, 24, 200);
	check_row(22,
		  "lost: ring 123k reentry 123k census 123k storage 123k closing 123k http 123k sources 123k served "
		  "123k ports 123k answers 123k watches 123k");
}

int main(void)
{
	static const struct CMUnitTest views[] = {
		cmocka_unit_test_setup_teardown(test_80x24, setup, teardown),
		cmocka_unit_test_setup_teardown(test_120x40, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_http, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_is_shown_for_its_syns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scroll, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_state_of_the_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setup_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_losses, setup, teardown),
	};

	return cmocka_run_group_tests(views, NULL, NULL);
}
