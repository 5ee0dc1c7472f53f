/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One connection that is followed live: its segments and transitions, in the order of time, become rows. A row is held
 * until the next segment, or the next tick: the transitions that a segment causes come behind it.
 */
#ifndef SYNWARDEN_SEGMENTS_FLOW_H
#define SYNWARDEN_SEGMENTS_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conns.h"
#include "segments.h"
#include "segments/ladder.h"
#include "segments/recent.h"

#define FLOW_PASSES 64

/* What waits. The two are told apart by `what`. */
union item {
	struct event event;
	struct segment segment;
};

struct shown_flow {
	struct shown_flow *next; /* in the order in which they began */
	uint32_t netns;
	uint32_t number; /* 0: not shown yet */
	struct view view;
	uint64_t cookie;
	struct owner owner;
	uint8_t ending;
	bool is_wanted;
	bool has_ended;
	uint64_t last_ns;
	struct recent recent;
	struct segment passes[FLOW_PASSES]; /* that the filter passed for a reason, and which have still to arrive */
	unsigned pass_count;
	bool has_held;
	struct segment held;
	uint8_t before[2][VIEW_PASSED], after[2][VIEW_PASSED]; /* states: ahead of the held segment, and behind it */
	uint64_t before_ns;				       /* of the first one that no segment is held for */
	union item *items;				       /* that have still to be shown */
	size_t item_count, item_room;
	uint64_t missed; /* items for which there was no room before it was wanted */
};

/* Where rows go. */
struct flow_output {
	const struct ladder_format *format;
	struct ladder *ladder;
	uint32_t count; /* rows of each connection; 0: all */
	uint32_t begun; /* connections with a header so far */
};

/* Takes what comes next. */
void flow__show(struct flow_output *output, struct shown_flow *flow, const union item *item);

/* All up to now_ns has been taken: shows what was held back for it. */
void flow__tick(struct flow_output *output, struct shown_flow *flow, uint64_t now_ns);

/* Shows what is held, and the closing line of a connection that has been shown. */
void flow__end(struct flow_output *output, struct shown_flow *flow);

/* The kernel has sent that segment again: marks it among those that have still to be shown. */
void flow__note_again(struct shown_flow *flow, const struct segment *again);

/* What the filter did with a segment that arrives, or would have. True: it makes a row of its own. */
bool flow__note_verdict(struct shown_flow *flow, const struct segment *judged);

/* Adds the verdict to a segment that arrives after it. */
void flow__apply_verdict(struct shown_flow *flow, struct segment *segment);

#endif
