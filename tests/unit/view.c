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
#include "screen.h"
#include "top/panels.h"
#include "top/port_table.h"
#include "top/view.h"

#define S 1000000000ULL

static struct snapshot before, now;

/* A second between the two, a run on eth0, port 80 among three, and some of everything. */
static int setup(void **state)
{
	(void)state;
	memset(&before, 0, sizeof(before));
	before.meta = (struct meta){
		.pid = 42,
		.since_ns = 1767323045 * S,
		.port_budget = 1000,
		.challenge = 1,
		.interfaces = 1,
		.interface = {{.ifindex = 3, .native = 1, .name = "eth0"}},
	};
	before.taken_ns = 100 * S;
	before.port_count = 4;
	before.ports[1] = (struct port_view){.port = 22, .slot = 2, .listening = true, .accept_limit = 128};
	before.ports[2] = (struct port_view){.port = 80, .slot = 1, .listening = true, .accept_limit = 4096};
	before.ports[3] = (struct port_view){.port = 8080, .slot = 3, .syns = 7, .passed = 7};
	now = before;
	now.taken_ns += S;
	now.ports[2].syns = 51234;
	now.ports[2].passed = 1000;
	now.ports[2].challenged = 50200;
	now.ports[2].answered = 200;
	now.ports[2].dropped = 34;
	now.ports[2].completed = 999;
	now.ports[2].half_open = 256;
	now.ports[2].accept_queue = 4097;
	now.ports[2].accept_full = 1;
	now.ports[2].listen_drops = 1234567;
	now.ports[2].synack_retransmits = 12345;
	now.verdicts[REASON_SYN].packets = 1000;
	now.verdicts[REASON_CHALLENGED].packets = 50200;
	before.verdicts[REASON_BLOCKED].packets = now.verdicts[REASON_BLOCKED].packets = 70000;
	now.census.states[STATE_ESTABLISHED] = 1234;
	now.census.states[STATE_NEW_SYN_RECV] = 256;
	now.census.states[STATE_TIME_WAIT] = 5;
	now.transitions[STATE_SYN_RECV][STATE_ESTABLISHED] = 999;
	now.transitions[STATE_ESTABLISHED][STATE_FIN_WAIT1] = 12;
	now.transitions[STATE_FIN_WAIT2][STATE_TIME_WAIT] = 5;
	now.endings[0][ENDING_TIME_WAIT] = 5;
	now.endings[1][ENDING_REFUSED] = 2;
	now.tallies[TALLY_RESETS_SENT] = 3;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	canvas__free(&canvas);
	return 0;
}

static struct view view_of_both(void)
{
	return (struct view){
		.rates = {&before, &now},
		.realtime_ns = 1767323045 * S + 725 * S,
		.sort = PORT_TABLE_SORT,
	};
}

static void draw(struct view *view, int rows, int columns)
{
	assert_int_equal(canvas__clear(&canvas, rows, columns), 0);
	assert_int_equal(view__draw(view, &canvas), 0);
}

/* Nothing essential is missing at 80 x 24, and this is all of it. */
static void test_80x24(void **state)
{
	static const char *const rows[] = {
		"synwarden is running (pid 42), counting since 2026-01-02T03:04:05Z (12m05s)",
		"port budget 1000 SYN/s (then challenge), on eth0 (native)",
		"no port is over its budget",
		"PORT   SYN/S PASS/S CHAL/S ANSW/S DROP/S EST/S SHARE  HALF      QUEUE LDROP RETX",
		"80     51234  1,000 50,200    200     34   999     -   256 !4097/4096 1.23M  12k",
		"22         0      0      0      0      0     0     -     0      0/128     0    0",
		"8080-      0      0      0      0      0     0     -     0          -     0    0",
		"STATE            NOW    IN/S   OUT/S  VERDICT   REASON              /S   TOTAL",
		"ESTABLISHED    1,234     999      12  challenge challenged      50,200  50,200",
		"NEW_SYN_RECV     256       -       -  pass      syn              1,000   1,000",
		"TIME_WAIT          5       5       -  drop      blocked              0  70,000",
		"LISTEN             0       0       0  NO --source-limit             /S   TOTAL",
		"SYN_SENT           0       0       0  WAS OPEN  ENDED BY            /S   TOTAL",
		"SYN_RECV           0       0     999  yes       time_wait            5       5",
		"CLOSE_WAIT         0       0       0  no        refused              2       2",
		"FIN_WAIT1          0      12       0  RESETS, SENT AGAIN            /S   TOTAL",
		"FIN_WAIT2          0       0       5  sent      reset                3       3",
		"LAST_ACK           0       0       0",
		"CLOSING            0       0       0",
		"CLOSE              0       0       0",
		"",
		"",
		"lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0",
		"q quit  p pause  h help  s sort: SYN/S  rates over 1.0 s",
	};
	struct view view = view_of_both();
	size_t i;

	(void)state;
	draw(&view, 24, 80);
	for (i = 0; i < COUNT_OF(rows); i++)
		check_row(i, rows[i]);
	assert_int_equal(style_at(3, 8), CANVAS_BOLD); /* SYN/S, by which it is sorted */
	assert_int_equal(style_at(3, 14), CANVAS_HEADING);
	assert_int_equal(style_at(8, 38), CANVAS_WARN);
	assert_int_equal(style_at(9, 38), CANVAS_GOOD);
	assert_int_equal(style_at(10, 38), CANVAS_BAD);
}

static void test_120x40(void **state)
{
	struct view view = view_of_both();

	(void)state;
	draw(&view, 40, 120);
	check_row(3, "PORT      SYN/S    PASS/S    CHAL/S    ANSW/S    DROP/S    EST/S    SHARE     HALF         QUEUE"
		     "    LDROP    RETX");
	check_row(4, "80       51,234     1,000    50,200       200        34      999        -      256    !4097/4096"
		     "  1234567  12,345");
	check_row(7, "STATE            NOW    IN/S   OUT/S  VERDICT   REASON              /S   TOTAL"
		     "  WAS OPEN  ENDED BY            /S   TOTAL");
	check_row(8, "ESTABLISHED    1,234     999      12  challenge challenged      50,200  50,200"
		     "  yes       time_wait            5       5");
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
	check_row(4, "22         -      -      -      -      -     -     -     0      0/128     0    0");
	check_row(5, "80         -      -      -      -      -     -     -   256 !4097/4096 1.23M  12k");
	check_row(8, "ESTABLISHED    1,234       -       -  drop      blocked              -  70,000");
	check_row(23, "q quit  p pause  h help  s sort: SYN/S");
}

static void test_share(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[1].completed = 3; /* some over an interface that is not filtered */
	draw(&view, 24, 80);
	check_row(5, "22         0      0      0      0      0     3     -     0      0/128     0    0");
	now.ports[1].passed = now.ports[1].syns = 2;
	draw(&view, 24, 80);
	check_row(5, "22         2      2      0      0      0     3  100%     0      0/128     0    0");
}

static void check_order(unsigned sort, const char *first, const char *second, const char *third)
{
	const char *ports[] = {first, second, third};
	struct view view = view_of_both();
	int i;

	view.sort = sort;
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
	assert_int_equal(port_table__columns(false), 12);
	assert_string_equal(port_table__heading(7), "SHARE");
	check_order(0, "22 ", "80 ", "8080-");
	check_order(1, "80 ", "22 ", "8080-");
	check_order(7, "22 ", "80 ", "8080-"); /* the smallest first, what is not known last */
	check_order(8, "8080-", "80 ", "22 ");
	check_order(11, "80 ", "22 ", "8080-");
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
	assert_int_equal(port_table__columns(true), 14);
	draw(&view, 24, 80);
	check_row(3, "PORT   SYN/S PASS/S CHAL/S DROP/S EST/S SHARE  HALF      QUEUE LDROP REQ/S   5XX");
	check_row(4, "80     51234  1,000 50,200     34   999     -   256 !4097/4096 1.23M 12346  0.1%");
	check_row(5, "22         0      0      0      0     0     -     0      0/128     0     3  0.0%");
	check_row(6, "8080-      0      0      0      0     0     -     0          -     0     0     -");
	check_order(12, "80 ", "22 ", "8080-");
	check_order(13, "80 ", "22 ", "8080-"); /* the largest first */
	draw(&view, 24, 100);
	check_row(3, "PORT   SYN/S PASS/S CHAL/S ANSW/S DROP/S EST/S SHARE  HALF      QUEUE LDROP RETX REQ/S   5XX");
	now.http = false; /* of a run that does not count it, sorted by what the last one had */
	view.sort = 13;
	draw(&view, 24, 80);
	assert_int_equal(view.sort, PORT_TABLE_SORT);
}

static void test_other_is_shown_for_its_syns(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[0].syns = now.ports[0].dropped = 100000;
	draw(&view, 24, 80);
	check_row(4, "other   100k      0      0      0 100000     0     -     0          -     0    0");
}

/* A port that began to be listened on in between. */
static void test_new_port(void **state)
{
	struct view view = view_of_both();

	(void)state;
	now.ports[4] = now.ports[3];
	now.ports[3] = (struct port_view){.port = 443, .listening = true, .syns = 60, .passed = 60};
	now.port_count = 5;
	view.sort = 0;
	draw(&view, 24, 80);
	check_row(6, "443       60     60      0      0      0     0  0.0%     0        0/0     0    0");
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
	check_row(3, "PORT   SYN/S PASS/S CHAL/S ANSW/S DROP/S EST/S SHARE  HALF      QUEUE LDROP RETX");
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
	check_row(1, "dry run: everything passes; port budget 1000 SYN/s (then drop), source limit 100");
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
	check_row(11, "LISTEN             0       0       0  MOST LIMITED SOURCES          /S   TOTAL"
		      "  sent      reset                3       3");
	check_row(12, "SYN_SENT           0       0       0  192.0.2.1                    500   1,500");
	check_row(13, "SYN_RECV           0       0     999  2001:db8:1111:2222::/64        - 9000000");
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
	check_row(22, "lost: ring 123456 reentry 123456 census 123456 storage 123456 and 7 more");
	draw(&view, 24, 200);
	check_row(22, "lost: ring 123456 reentry 123456 census 123456 storage 123456 closing 123456 http 123456 "
		      "sources 123456 served 123456 ports 123456 answers 123456 watches 123456");
}

static void test_help_and_pause(void **state)
{
	struct view view = view_of_both();

	(void)state;
	view.help = view.paused = true;
	draw(&view, 24, 80);
	check_row(1, "q         quit, as Ctrl-C does");
	check_row(5, "arrows, page up and down, home, end scroll the ports");
	check_row(8, "PORT   listening port; ! under attack, * armed, - no listener any more");
	check_row(21, "lost   what synwarden could not see or judge; more than 0 is worth a look");
	check_row(23, "PAUSED  q quit  p resume  h help  s sort: SYN/S  rates over 1.0 s");
}

/* On a small canvas the ports keep some lines, then the states get the rest; on none is anything written beside it. */
static void test_small(void **state)
{
	struct view view = view_of_both();
	int rows, columns;

	(void)state;
	draw(&view, 12, 40);
	assert_memory_equal(canvas__row(&canvas, 5), "80 ", 3);
	assert_memory_equal(canvas__row(&canvas, 7), "8080-", 5);
	check_row(8, "STATE            NOW    IN/S   OUT/S  VE");
	check_row(9, "ESTABLISHED    1,234     999      12  ch");
	check_row(10, "lost: ring 0 reentry 0 census 0 http 0");
	for (rows = 1; rows < 30; rows++)
		for (columns = 1; columns < 90; columns += 11)
			draw(&view, rows, columns);
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
		cmocka_unit_test_setup_teardown(test_help_and_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small, setup, teardown),
	};

	return cmocka_run_group_tests(views, NULL, NULL);
}
