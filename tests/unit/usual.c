// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `run` remembers of a port, second by second: the growth of its counters, and how many clients are usual. The map
 * is a file in memory, which can be mapped in the same way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/usual.h"

#define QUARTER 900
#define HOUR	(4 * QUARTER)
#define DAY	(24 * HOUR)
#define SLOT	5

struct world {
	struct usual *usual;
	struct snapshot *snapshot;
	struct port_view *port;
	int map;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct maps maps;

	*state = w;
	w->map = memfd_create("recents", MFD_CLOEXEC);
	w->snapshot = calloc(1, sizeof(*w->snapshot));
	maps.recents = w->map;
	if (ftruncate(w->map, MAX_PORTS * sizeof(struct port_recent)) || usual__open(&w->usual, &maps))
		return -1;
	w->snapshot->port_count = 2;
	w->port = &w->snapshot->ports[1];
	w->port->port = 443;
	w->port->slot = SLOT;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	usual__close(w->usual);
	close(w->map);
	free(w->snapshot);
	free(w);
	return 0;
}

/* `seconds` in which so many handshakes are completed each. */
static void pass(struct world *w, unsigned seconds, unsigned completed)
{
	for (unsigned i = 0; i < seconds; i++) {
		w->port->completed += completed;
		usual__note(w->usual, w->snapshot);
	}
}

static struct port_recent in_map(const struct world *w)
{
	struct port_recent recent;

	assert_int_equal(pread(w->map, &recent, sizeof(recent), SLOT * sizeof(recent)), sizeof(recent));
	return recent;
}

static void growth_is_of_the_last_ten_seconds(void **state)
{
	struct world *w = *state;

	w->port->syns = 1000000;
	pass(w, 1, 0);
	assert_int_equal(w->port->recent.seconds, 0);
	assert_int_equal(w->port->recent.syns, 0);
	w->port->syns += 70;
	pass(w, 1, 3);
	assert_int_equal(w->port->recent.seconds, 1);
	assert_int_equal(w->port->recent.syns, 70);
	assert_int_equal(w->port->recent.completed, 3);
	pass(w, 9, 2);
	assert_int_equal(w->port->recent.seconds, 10);
	assert_int_equal(w->port->recent.syns, 70);
	assert_int_equal(w->port->recent.completed, 21);
	pass(w, 1, 0); /* what came in the first second is older now */
	assert_int_equal(w->port->recent.syns, 0);
	assert_int_equal(in_map(w).completed, 18);
}

static void counters_may_pass_2_to_the_32(void **state)
{
	struct world *w = *state;

	w->port->syns = 0xfffffffeULL;
	pass(w, 1, 0);
	w->port->syns += 5;
	pass(w, 1, 0);
	assert_int_equal(w->port->recent.syns, 5);
}

static void handshakes_of_the_host_with_itself_are_no_clients(void **state)
{
	struct world *w = *state;

	pass(w, 1, 0);
	w->port->own += 4;
	pass(w, 1, 10);
	assert_int_equal(w->port->recent.completed, 6);
}

/* Counted as completed before the last look, and as the host's own after it. */
static void a_handshake_found_late_to_be_own_takes_none_back(void **state)
{
	struct world *w = *state;

	pass(w, 61, 1);
	w->port->own++;
	pass(w, 1, 0);
	assert_int_equal(w->port->recent.completed, 8);
	pass(w, 9, 0);
	assert_int_equal(w->port->recent.completed, 0);
}

static void a_minute_is_needed(void **state)
{
	struct world *w = *state;

	pass(w, 60, 2);
	assert_int_equal(w->port->recent.usual_millis, 0);
	pass(w, 61, 2);
	assert_int_equal(w->port->recent.usual_millis, 2000);
}

static void an_attack_does_not_fill_it(void **state)
{
	struct world *w = *state;

	pass(w, HOUR + 1, 2);
	assert_int_equal(w->port->recent.usual_millis, 2000);
	w->port->armed = 1;
	pass(w, 4 * HOUR, 0);
	assert_int_equal(w->port->recent.usual_millis, 2000);
	w->port->armed = 0;
	pass(w, 2 * HOUR, 1);
	assert_int_equal(w->port->recent.usual_millis, 1000);
}

/* Of each quarter-hour what was last known stays; a quiet one is known too. */
static void nor_does_one_of_more_than_a_day(void **state)
{
	struct world *w = *state;

	pass(w, HOUR + 1, 2);
	w->port->armed = 1;
	pass(w, 30 * HOUR, 0);
	assert_int_equal(w->port->recent.usual_millis, 2000);
	w->port->armed = 0;
	pass(w, DAY, 0);
	assert_int_equal(w->port->recent.usual_millis, 0);
}

/* Less than in the last hour may be usual at this time of the day. */
static void a_day_ago_counts_where_it_is_less(void **state)
{
	struct world *w = *state;

	pass(w, QUARTER, 1);
	pass(w, DAY - QUARTER, 5);
	assert_int_equal(w->port->recent.usual_millis, 5000);
	pass(w, 61, 5);
	assert_int_equal(w->port->recent.usual_millis, 1000);
	pass(w, QUARTER, 5);
	assert_int_equal(w->port->recent.usual_millis, 5000);
}

static void another_port_in_the_slot_begins_anew(void **state)
{
	struct world *w = *state;

	pass(w, HOUR, 2);
	w->port->port = 8443;
	pass(w, 1, 2);
	assert_int_equal(w->port->recent.seconds, 0);
	assert_int_equal(w->port->recent.usual_millis, 0);
}

/* Its counters began anew, but what is usual did not. */
static void a_port_that_was_away_goes_on(void **state)
{
	struct world *w = *state;

	pass(w, HOUR + 1, 2);
	w->snapshot->port_count = 1;
	pass(w, 1, 0);
	w->snapshot->port_count = 2;
	w->port->completed = 0;
	pass(w, 1, 0);
	assert_int_equal(w->port->recent.seconds, 0);
	assert_int_equal(w->port->recent.completed, 0);
	assert_int_equal(w->port->recent.usual_millis, 2000);
}

static void what_a_former_run_left_is_cleared(void **state)
{
	struct world *w = *state;
	struct maps maps;

	pass(w, 5, 2);
	assert_int_equal(in_map(w).seconds, 4);
	maps.recents = w->map;
	assert_int_equal(usual__forget(&maps), 0);
	assert_int_equal(in_map(w).seconds, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(growth_is_of_the_last_ten_seconds),
		TEST(counters_may_pass_2_to_the_32),
		TEST(handshakes_of_the_host_with_itself_are_no_clients),
		TEST(a_handshake_found_late_to_be_own_takes_none_back),
		TEST(a_minute_is_needed),
		TEST(an_attack_does_not_fill_it),
		TEST(nor_does_one_of_more_than_a_day),
		TEST(a_day_ago_counts_where_it_is_less),
		TEST(another_port_in_the_slot_begins_anew),
		TEST(a_port_that_was_away_goes_on),
		TEST(what_a_former_run_left_is_cleared),
	};

	return cmocka_run_group_tests_name("usual", tests, NULL, NULL);
}
