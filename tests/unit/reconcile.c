// SPDX-License-Identifier: GPL-2.0-only
/*
 * Censuses against transitions: traffic meanwhile is no difference, a missed transition is one, once it is borne out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "run/reconcile.h"

struct world {
	struct reconcile reconcile;
	uint64_t census[STATE_MAX];
	uint64_t transitions[STATE_MAX][STATE_MAX];
	struct reconcile_flows before;
};

static void move(struct world *w, unsigned from, unsigned to, uint64_t sockets)
{
	w->transitions[from][to] += sockets;
	w->census[from] -= sockets;
	w->census[to] += sockets;
}

static void begin(struct world *w)
{
	reconcile__flows(&w->before, (const uint64_t(*)[STATE_MAX])w->transitions);
}

static uint64_t end(struct world *w)
{
	struct reconcile_flows after;

	reconcile__flows(&after, (const uint64_t(*)[STATE_MAX])w->transitions);
	return reconcile__compare(&w->reconcile, w->census, &w->before, &after);
}

static uint64_t census(struct world *w)
{
	begin(w);
	return end(w);
}

static void what_was_there_before_is_no_difference(void **state)
{
	struct world w = {.census[STATE_ESTABLISHED] = 500};

	(void)state;
	assert_int_equal(census(&w), 0);
	move(&w, STATE_ESTABLISHED, STATE_CLOSE_WAIT, 20);
	assert_int_equal(census(&w), 0);
	assert_int_equal(census(&w), 0);
}

/* A census that sees some of what happens meanwhile before, and some after. */
static void traffic_meanwhile_is_no_difference(void **state)
{
	struct world w = {};
	unsigned round;

	(void)state;
	w.census[STATE_CLOSE] = 100000;
	for (round = 0; round < 50; round++) {
		uint64_t seen;

		begin(&w);
		move(&w, STATE_CLOSE, STATE_SYN_SENT, 30);
		move(&w, STATE_SYN_SENT, STATE_ESTABLISHED, 30);
		seen = w.census[STATE_ESTABLISHED] - round % 31;
		w.census[STATE_ESTABLISHED] -= round % 31;
		assert_int_equal(end(&w), 0);
		w.census[STATE_ESTABLISHED] = seen + round % 31;
	}
}

/* A child begins as if it left LISTEN, but its listener stays. */
static void children_do_not_take_their_listener_away(void **state)
{
	struct world w = {.census[STATE_LISTEN] = 2};
	unsigned round;

	(void)state;
	for (round = 0; round < 5; round++) {
		w.transitions[STATE_LISTEN][STATE_SYN_RECV] += 10;
		w.census[STATE_SYN_RECV] += 10;
		move(&w, STATE_SYN_RECV, STATE_ESTABLISHED, 10);
		assert_int_equal(census(&w), 0);
		assert_int_equal(census(&w), 0);
	}
}

static void a_missed_ending_is_counted_once(void **state)
{
	struct world w = {.census[STATE_ESTABLISHED] = 10, .census[STATE_LAST_ACK] = 0};

	(void)state;
	assert_int_equal(census(&w), 0);
	assert_false(reconcile__doubts(&w.reconcile));
	w.census[STATE_ESTABLISHED] -= 3; /* and nobody told */
	assert_int_equal(census(&w), 0);
	assert_true(reconcile__doubts(&w.reconcile));
	assert_int_equal(census(&w), 3);
	assert_false(reconcile__doubts(&w.reconcile));
	assert_int_equal(census(&w), 0);
	move(&w, STATE_ESTABLISHED, STATE_FIN_WAIT1, 2);
	assert_int_equal(census(&w), 0);
	assert_int_equal(census(&w), 0);
}

/* A socket that the census meets between its transition and its entry in the table. */
static void a_difference_that_goes_is_none(void **state)
{
	struct world w = {.census[STATE_SYN_SENT] = 1};

	(void)state;
	assert_int_equal(census(&w), 0);
	w.census[STATE_SYN_SENT]++;
	assert_int_equal(census(&w), 0);
	w.census[STATE_SYN_SENT]--;
	assert_int_equal(census(&w), 0);
	w.census[STATE_SYN_SENT]++;
	assert_int_equal(census(&w), 0);
}

static void states_that_are_left_unseen_are_not_compared(void **state)
{
	struct world w = {};

	(void)state;
	assert_int_equal(census(&w), 0);
	w.census[STATE_TIME_WAIT] = 7;
	w.census[STATE_NEW_SYN_RECV] = 8;
	w.census[STATE_FIN_WAIT2] = 9;
	assert_int_equal(census(&w), 0);
	assert_int_equal(census(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_there_before_is_no_difference),
		cmocka_unit_test(traffic_meanwhile_is_no_difference),
		cmocka_unit_test(children_do_not_take_their_listener_away),
		cmocka_unit_test(a_missed_ending_is_counted_once),
		cmocka_unit_test(a_difference_that_goes_is_none),
		cmocka_unit_test(states_that_are_left_unseen_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
