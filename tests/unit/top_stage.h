/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two snapshots a second apart, and `top` of them.
 */
#ifndef SYNWARDEN_TESTS_TOP_STAGE_H
#define SYNWARDEN_TESTS_TOP_STAGE_H

#include <stdlib.h>
#include <string.h>

#include "screen.h"
#include "top/view.h"

#define S 1000000000ULL

static struct snapshot before, now;

/* A second between the two, a run on eth0, port 80 among three, and some of everything. */
static inline int setup(void **state)
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
	before.ports[2] =
		(struct port_view){.port = 80, .slot = 1, .listening = true, .accept_limit = 4096, .budget = 1000};
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

static inline int teardown(void **state)
{
	(void)state;
	canvas__free(&canvas);
	return 0;
}

static inline struct view view_of_both(void)
{
	struct view view;

	view__init(&view);
	view.rates = (struct rates){&before, &now};
	view.realtime_ns = 1767323045 * S + 725 * S;
	return view;
}

static inline void draw(struct view *view, int rows, int columns)
{
	assert_int_equal(canvas__clear(&canvas, rows, columns), 0);
	assert_int_equal(view__draw(view, &canvas), 0);
}

static inline unsigned column(const char *heading)
{
	return column__find(heading);
}

#endif
