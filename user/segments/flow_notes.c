// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes of a segment from elsewhere than the device that sends or receives it, a little before or after: that TCP
 * here has sent it again, and what the filter did with it.
 */
#include <string.h>

#include "reasons.h"
#include "segments/flow.h"
#include "segments/view_parts.h"

/* Between the two, also where a virtual machine stands still meanwhile. */
#define CLOSE_NS 50000000

static bool has_sender(const struct segment *a, const struct segment *b)
{
	return a->sport == b->sport && a->dport == b->dport && !memcmp(&a->src, &b->src, sizeof(a->src));
}

static bool is_close(const struct segment *a, const struct segment *b)
{
	return a->time_ns < b->time_ns + CLOSE_NS && b->time_ns < a->time_ns + CLOSE_NS;
}

/* The last segment of this kind from the same sender that has still to be shown; NULL: there is none. */
static struct segment *find(struct shown_flow *flow, const struct segment *told, enum segment_kind kind,
			    bool (*is_it)(const struct segment *segment, const struct segment *told))
{
	for (size_t i = flow->item_count; i > 0; i--) {
		struct segment *segment = &flow->items[i - 1].segment;

		if (segment->what == RING_SEGMENT && segment->kind == kind && has_sender(segment, told) &&
		    is_close(segment, told) && is_it(segment, told))
			return segment;
	}
	return NULL;
}

static bool has_number(const struct segment *segment, const struct segment *told)
{
	return segment->seq == told->seq;
}

/* GRO may have joined one with data to others. */
static bool holds(const struct segment *segment, const struct segment *told)
{
	uint32_t length = seq_length(told);

	if (!length || segment->flags & SEGMENT_SYN)
		return segment->seq == told->seq && segment->ack == told->ack && segment->flags == told->flags;
	return !seq_before(told->seq, segment->seq) &&
	       !seq_before(segment->seq + seq_length(segment), told->seq + length);
}

void flow__note_again(struct shown_flow *flow, const struct segment *again)
{
	struct segment *segment = find(flow, again, SEGMENT_SENT, has_number);

	if (segment)
		segment->is_again = true;
}

static void copy_verdict(struct segment *to, const struct segment *judged)
{
	to->reason = judged->reason;
	to->verdict = judged->verdict;
}

/* In generic mode the filter stands behind the tracepoint by which segments arrive, in native mode before it. */
bool flow__note_verdict(struct shown_flow *flow, const struct segment *judged)
{
	struct segment *arrived = find(flow, judged, SEGMENT_ARRIVED, holds);

	if (arrived) {
		copy_verdict(arrived, judged);
		if (judged->verdict != VERDICT_PASS)
			arrived->kind = SEGMENT_JUDGED;
		return false;
	}
	if (judged->verdict == VERDICT_PASS)
		flow->passes[flow->pass_count++ % FLOW_PASSES] = *judged;
	return judged->verdict != VERDICT_PASS;
}

void flow__apply_verdict(struct shown_flow *flow, struct segment *segment)
{
	for (unsigned i = 0; i < FLOW_PASSES && i < flow->pass_count; i++) {
		struct segment *judged = &flow->passes[i];

		if (!judged->time_ns || !has_sender(judged, segment) || !is_close(judged, segment) ||
		    !holds(segment, judged))
			continue;
		copy_verdict(segment, judged);
		judged->time_ns = 0;
	}
}
