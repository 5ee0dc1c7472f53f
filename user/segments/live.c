// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which connection a segment or a transition belongs to, and whose turn it is to be shown.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/drop_reasons.h"
#include "segments/flow.h"
#include "segments/live.h"
#include "text/log.h"

#define FLOWS_MAX     1024
#define ITEMS_MAX     (1 << 16) /* of one connection that waits to be shown */
#define ITEMS_UNKNOWN 256	/* and of one of which it is unknown whether it will be */
#define SETTLE_NS     50000000	/* verdicts and retransmissions have come by then */
#define QUIET_NS                                                                                                       \
	300000000  /* a connection that ended is over when nothing more has come for so long: a FIN comes again        \
		      after 200 ms at the earliest, if its ACK was lost */
#define LOOPBACK 1 /* ifindex of lo, in each namespace */

struct live {
	struct live_options options;
	struct shown_flow *flows;
	unsigned flow_count;
	struct flow_output output;
	uint32_t done; /* connections */
	uint64_t lost;
};

struct live *live__new(const struct live_options *options)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live) {
		log_error("out of memory");
		return NULL;
	}
	live->options = *options;
	live->output = (struct flow_output){options->format, options->ladder, options->count, 0};
	return live;
}

/* Whether the connection's turn has come: the first of those that are wanted has it. */
static bool is_shown(const struct live *live, const struct shown_flow *flow)
{
	const struct shown_flow *first = live->flows;

	while (first && !first->is_wanted)
		first = first->next;
	return flow->is_wanted && (live->options.at_once || flow == first);
}

static void keep(struct live *live, struct shown_flow *flow, const union item *item)
{
	size_t room = flow->item_room ? flow->item_room * 2 : 64;
	union item *items;

	if (!flow->is_wanted && flow->item_count == ITEMS_UNKNOWN) {
		flow->missed++;
		return;
	}
	if (flow->item_count == flow->item_room) {
		items = room <= ITEMS_MAX ? reallocarray(flow->items, room, sizeof(*items)) : NULL;
		if (!items) {
			live->lost++;
			return;
		}
		flow->items = items;
		flow->item_room = room;
	}
	flow->items[flow->item_count++] = *item;
}

static void take(struct live *live, struct shown_flow *flow, const union item *item)
{
	flow->last_ns = item->event.time_ns;
	keep(live, flow, item);
}

/* What happened up to until_ns. */
static void show_kept(struct live *live, struct shown_flow *flow, uint64_t until_ns)
{
	size_t shown = 0;

	while (shown < flow->item_count && flow->items[shown].event.time_ns <= until_ns)
		flow__show(&live->output, flow, &flow->items[shown++]);
	flow->item_count -= shown;
	memmove(flow->items, flow->items + shown, flow->item_count * sizeof(*flow->items));
}

static struct shown_flow *find_segment(struct live *live, const struct segment *segment)
{
	struct shown_flow *flow = live->flows;

	while (flow && (flow->netns != segment->netns || !view__matches(&flow->view, segment)))
		flow = flow->next;
	return flow;
}

/* Connections that are or will be shown. Of others, which may turn out to be wanted, there may be any number. */
static unsigned wanted(const struct live *live)
{
	unsigned count = 0;

	for (const struct shown_flow *flow = live->flows; flow; flow = flow->next)
		count += flow->is_wanted;
	return count;
}

static struct shown_flow *append(struct live *live)
{
	struct shown_flow **end = &live->flows, *flow;

	if (live->done + wanted(live) >= live->options.connections)
		return NULL;
	flow = live->flow_count < FLOWS_MAX ? calloc(1, sizeof(*flow)) : NULL;
	if (!flow) {
		live->lost++;
		return NULL;
	}
	while (*end)
		end = &(*end)->next;
	*end = flow;
	live->flow_count++;
	flow->is_wanted = !live->options.by_owner;
	return flow;
}

static struct shown_flow *begin_with_segment(struct live *live, const struct segment *segment)
{
	struct shown_flow *flow = append(live);
	struct segment first = *segment;

	if (!flow)
		return NULL;
	if (first.kind == SEGMENT_DROPPED)
		first.kind = first.state ? SEGMENT_SENT : SEGMENT_ARRIVED;
	flow->netns = segment->netns;
	view__begin(&flow->view, &first);
	flow->view.ends[0].is_local = true;
	flow->view.ends[1].is_local = segment->ifindex == LOOPBACK;
	return flow;
}

/* A connection that was left over is no longer what comes under its ports. */
static void close_if_reused(struct live *live, struct shown_flow *flow, const struct segment *segment)
{
	if (flow && flow->has_ended && segment->flags & SEGMENT_SYN && !(segment->flags & SEGMENT_ACK) &&
	    segment->kind != SEGMENT_DROPPED)
		live__tick(live, flow->last_ns + QUIET_NS + 1);
}

/* Whether the segment is to be shown by itself; adds to it, or to another one, what the two say of each other. */
static bool is_row(struct shown_flow *flow, struct segment *segment)
{
	switch (segment->kind) {
	case SEGMENT_AGAIN:
		flow__note_again(flow, segment);
		return false;
	case SEGMENT_JUDGED:
		return flow__note_verdict(flow, segment);
	case SEGMENT_ARRIVED:
		flow__apply_verdict(flow, segment);
		return !recent__is_repeated(&flow->recent, segment);
	case SEGMENT_SENT:
		return !recent__is_repeated(&flow->recent, segment);
	default:
		return true;
	}
}

void live__segment(struct live *live, const struct segment *segment)
{
	union item item = {.segment = *segment};
	struct shown_flow *flow;

	if (live->options.ifindex && segment->ifindex != live->options.ifindex)
		return;
	if (segment->kind == SEGMENT_DROPPED && !drop_reasons__is_loss(segment->reason))
		return;
	close_if_reused(live, find_segment(live, segment), segment);
	flow = find_segment(live, segment);
	if (!flow && segment->kind != SEGMENT_AGAIN)
		flow = begin_with_segment(live, segment);
	if (flow && is_row(flow, &item.segment))
		take(live, flow, &item);
}

/* The flow of a socket; on loopback both ends' are one. */
static struct segment as_segment(const struct event *event)
{
	return (struct segment){
		.time_ns = event->time_ns,
		.src = event->flow.laddr,
		.dst = event->flow.raddr,
		.sport = event->flow.lport,
		.dport = event->flow.rport,
		.netns = event->flow.netns,
		.kind = SEGMENT_SENT,
	};
}

static void note_owner(struct live *live, struct shown_flow *flow, const struct event *event)
{
	if (!flow->cookie)
		flow->cookie = event->cookie;
	if (event->owner.pid && !flow->owner.pid)
		flow->owner = event->owner;
	if (!flow->is_wanted && live->options.is_wanted(live->options.context, event)) {
		flow->is_wanted = true;
		live->lost += flow->missed;
	}
}

void live__event(struct live *live, const struct event *event)
{
	struct segment segment = as_segment(event);
	union item item = {.event = *event};
	struct shown_flow *flow = find_segment(live, &segment);

	if (event->new == STATE_LISTEN || event->old == STATE_LISTEN)
		if (!flow)
			return;
	if (!flow) {
		if (!live->options.is_wanted(live->options.context, event))
			return;
		flow = append(live);
		if (!flow)
			return;
		flow->netns = segment.netns;
		view__begin(&flow->view, &segment);
		flow->view.ends[0].is_local = true;
	}
	note_owner(live, flow, event);
	take(live, flow, &item);
}

static void free_flow(struct shown_flow *flow)
{
	free(flow->items);
	free(flow);
}

/* Takes a connection out, with its closing line where it has been shown. */
static void finish(struct live *live, struct shown_flow **at)
{
	struct shown_flow *flow = *at;

	flow__end(&live->output, flow);
	live->done += flow->number != 0;
	*at = flow->next;
	live->flow_count--;
	free_flow(flow);
}

/* The kernel says when a connection of this host has ended. Of one that is forwarded, only its segments do. */
static bool is_over(const struct shown_flow *flow, uint64_t now_ns)
{
	enum view_ending ending = view__ending(&flow->view);
	bool has_ended = flow->has_ended || ending == VIEW_RESET || ending == VIEW_REFUSED ||
			 (ending == VIEW_CLOSED && !flow->cookie);

	return has_ended && flow->last_ns + QUIET_NS < now_ns;
}

static void tick_flow(struct live *live, struct shown_flow *flow, uint64_t now_ns)
{
	if (!is_shown(live, flow))
		return;
	show_kept(live, flow, now_ns - SETTLE_NS);
	flow__tick(&live->output, flow, now_ns - SETTLE_NS);
}

void live__tick(struct live *live, uint64_t now_ns)
{
	struct shown_flow **at = &live->flows;

	while (*at && !live__is_done(live)) {
		tick_flow(live, *at, now_ns);
		if (is_over(*at, now_ns) && (is_shown(live, *at) || !(*at)->is_wanted)) {
			finish(live, at);
			at = &live->flows; /* another one's turn may have come */
			continue;
		}
		at = &(*at)->next;
	}
}

bool live__is_done(const struct live *live)
{
	return live->done >= live->options.connections;
}

uint64_t live__lost(const struct live *live)
{
	return live->lost;
}

void live__end(struct live *live)
{
	if (!live)
		return;
	while (live->flows) {
		if (live->flows->is_wanted && !live__is_done(live))
			show_kept(live, live->flows, UINT64_MAX);
		finish(live, &live->flows);
	}
	free(live);
}
