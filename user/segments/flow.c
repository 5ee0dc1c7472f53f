// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of a row's parts: states that lead to a segment (connect() and close()), the segment, what its socket says
 * of itself, and the states that it leads to at the other end.
 */
#include <string.h>

#include "segments/drop_reasons.h"
#include "segments/flow.h"

#define CAUSED_NS 1000000 /* a transition this soon behind a segment is caused by it */

static void add_state(uint8_t states[VIEW_PASSED], uint8_t state)
{
	for (int i = 0; i < VIEW_PASSED; i++) {
		if (states[i])
			continue;
		states[i] = state;
		return;
	}
}

static bool has_states(const uint8_t states[2][VIEW_PASSED])
{
	return states[0][0] || states[1][0];
}

static void apply_states(struct view *view, uint8_t states[2][VIEW_PASSED])
{
	for (int end = 0; end < 2; end++)
		for (int i = 0; i < VIEW_PASSED && states[end][i]; i++)
			view__set_state(view, end, states[end][i]);
	memset(states, 0, 2 * VIEW_PASSED);
}

/* Hands the connection's names to the format, beginning with its header. */
static struct ladder *ladder_of(struct flow_output *output, struct shown_flow *flow)
{
	struct ladder *ladder = output->ladder;

	if (!flow->number) {
		flow->number = ++output->begun;
		ladder->number = flow->number;
		ladder->owner = flow->owner;
		output->format->begin(ladder, &flow->view, &flow->held);
	}
	ladder->number = flow->number;
	ladder->netns = flow->netns;
	ladder->cookie = flow->cookie;
	ladder->owner = flow->owner;
	ladder->ending = flow->ending;
	return ladder;
}

static bool is_enough(const struct flow_output *output, const struct shown_flow *flow)
{
	return output->count && flow->view.segments >= output->count;
}

/* Transitions without a segment: a time-out, or a close whose FIN was sent earlier. */
static void flush_states(struct flow_output *output, struct shown_flow *flow)
{
	struct ladder *ladder;

	if (!has_states(flow->before) || !flow->view.segments)
		return;
	ladder = ladder_of(output, flow);
	view__clear_passed(&flow->view);
	apply_states(&flow->view, flow->before);
	if (!is_enough(output, flow))
		output->format->states(ladder, &flow->view, flow->before_ns);
	view__clear_passed(&flow->view);
}

/* What the sending socket said of itself. Segments that no connection's socket sends (of TIME_WAIT, a RST to nobody)
 * come from one in CLOSE, cookies from the listener. */
static void apply_sent(struct view *view, int from, uint8_t state)
{
	if (state == STATE_NEW_SYN_RECV)
		state = STATE_SYN_RECV;
	if (state && state != STATE_CLOSE && state != STATE_LISTEN && state != STATE_TIME_WAIT)
		view__set_state(view, from, state);
}

static void flush_row(struct flow_output *output, struct shown_flow *flow)
{
	bool is_shown = !is_enough(output, flow);
	struct view_row row;
	struct ladder *ladder;

	if (!flow->has_held)
		return;
	ladder = ladder_of(output, flow);
	flow->has_held = false;
	view__take(&flow->view, &flow->held, &row);
	apply_states(&flow->view, flow->before);
	apply_sent(&flow->view, row.from, flow->held.state);
	apply_states(&flow->view, flow->after);
	if (is_shown)
		output->format->row(ladder, &flow->view, &flow->held, &row);
}

/* Whether the segment is for an end of which TIME_WAIT has still to be shown. */
static bool meets_time_wait(const struct shown_flow *flow, const struct segment *segment)
{
	int to = view__end_of(&flow->view, &segment->dst, segment->dport);

	return to >= 0 && memchr(flow->before[to], STATE_TIME_WAIT, VIEW_PASSED);
}

static void show_segment(struct flow_output *output, struct shown_flow *flow, const struct segment *segment)
{
	flush_row(output, flow);
	if (meets_time_wait(flow, segment)) /* what becomes of it is inferred from that state */
		flush_states(output, flow);
	flow->held = *segment;
	flow->has_held = true;
}

static void show_drop(struct flow_output *output, struct shown_flow *flow, const struct segment *segment)
{
	flush_row(output, flow);
	view__note_drop(&flow->view);
	if (!flow->number)
		flow->held = *segment; /* of which the header is made */
	if (!is_enough(output, flow))
		output->format->drop(ladder_of(output, flow), &flow->view, segment,
				     drop_reasons__name(segment->reason));
}

static bool is_final(uint8_t state)
{
	return state == STATE_CLOSE || state == STATE_TIME_WAIT;
}

/* States that a socket enters by connect() or close(), ahead of the segment that it then sends. */
static bool is_own_doing(uint8_t state)
{
	return state == STATE_SYN_SENT || state == STATE_FIN_WAIT1 || state == STATE_LAST_ACK;
}

static void show_event(struct flow_output *output, struct shown_flow *flow, const struct event *event)
{
	int end = view__end_of(&flow->view, &event->flow.laddr, event->flow.lport);
	int sender = view__end_of(&flow->view, &flow->held.src, flow->held.sport);

	if (end < 0)
		return;
	flow->view.ends[end].is_local = true;
	/* Told late, as its port is not known at once; the SYN has said it. */
	if (event->new == STATE_SYN_SENT && flow->view.ends[end].is_known)
		return;
	if (is_final(event->new)) {
		flow->has_ended = true;
		if (!end || !flow->ending)
			flow->ending = event->ending;
	}
	if (flow->has_held && end != sender && !is_own_doing(event->new) &&
	    event->time_ns - flow->held.time_ns < CAUSED_NS) {
		add_state(flow->after[end], event->new);
		return;
	}
	if (flow->has_held)
		flush_row(output, flow);
	if (!has_states(flow->before))
		flow->before_ns = event->time_ns;
	add_state(flow->before[end], event->new);
}

void flow__show(struct flow_output *output, struct shown_flow *flow, const union item *item)
{
	if (item->event.what == RING_EVENT)
		show_event(output, flow, &item->event);
	else if (item->segment.kind == SEGMENT_DROPPED)
		show_drop(output, flow, &item->segment);
	else
		show_segment(output, flow, &item->segment);
}

void flow__tick(struct flow_output *output, struct shown_flow *flow, uint64_t now_ns)
{
	if (flow->has_held && flow->held.time_ns + CAUSED_NS < now_ns)
		flush_row(output, flow);
	if (!flow->has_held && has_states(flow->before) && flow->before_ns + CAUSED_NS < now_ns)
		flush_states(output, flow);
}

void flow__end(struct flow_output *output, struct shown_flow *flow)
{
	flush_row(output, flow);
	flush_states(output, flow);
	if (flow->number)
		output->format->end(ladder_of(output, flow), &flow->view);
}
