// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is remarkable about a segment, from what both ends have sent before. The conditions are those of Wireshark's
 * tcp.analysis where the two have the same mark; tests/segments/tshark.py lists where they differ.
 */
#include <string.h>

#include "segments/view_parts.h"

#define REORDER_NS 3000000ULL /* a hole filled sooner than this, or than a round trip, is taken for reordering */
#define CONTROL	   (SEGMENT_SYN | SEGMENT_FIN | SEGMENT_RST)

/* A pure acknowledgment that repeats the number of the one before. */
static bool repeats_ack(const struct view_end *from, const struct segment *segment)
{
	return segment->flags & SEGMENT_ACK && !(segment->flags & CONTROL) && !segment->len && from->has_acked &&
	       from->has_next && segment->seq == from->next && segment->ack == from->acked;
}

static uint32_t mark_ack(struct view_end *from, const struct view_end *to, const struct segment *segment)
{
	bool repeats = repeats_ack(from, segment);

	if (repeats && segment->window && segment->window == from->window) {
		if (to->last_marks & (MARK_BIT(KEEP_ALIVE) | MARK_BIT(WINDOW_PROBE)))
			return MARK_BIT(KEEP_ALIVE_ACK);
		from->duplicates++;
		return MARK_BIT(DUPLICATE_ACK);
	}
	if (segment->flags & SEGMENT_ACK && segment->ack != from->acked)
		from->duplicates = 0;
	return 0;
}

static uint32_t mark_window(const struct view_end *from, const struct segment *segment)
{
	if (segment->flags & CONTROL || !(segment->flags & SEGMENT_ACK))
		return 0;
	if (!segment->window)
		return MARK_BIT(ZERO_WINDOW);
	return from->has_acked && !from->window ? MARK_BIT(WINDOW_OPEN) : 0;
}

/* A segment that asks for an ACK only: one number before the next one (RFC 9293, 3.8.4), or, into a closed window, at
 * most one byte (3.8.6.1). */
static uint32_t mark_probe(const struct view_end *from, const struct view_end *to, const struct segment *segment)
{
	bool closed = to->has_acked && !to->window;

	if (segment->flags & CONTROL || !from->has_next || segment->len > 1)
		return 0;
	if (segment->seq == from->next - 1)
		return closed ? MARK_BIT(WINDOW_PROBE) : MARK_BIT(KEEP_ALIVE);
	return closed && segment->len == 1 && segment->seq == from->next ? MARK_BIT(WINDOW_PROBE) : 0;
}

static void forget_hole(struct view_end *end, unsigned i)
{
	end->hole_count--;
	memmove(end->holes + i, end->holes + i + 1, (end->hole_count - i) * sizeof(*end->holes));
}

static void note_hole(struct view_end *end, uint32_t from, uint32_t to, uint64_t now_ns)
{
	if (end->hole_count == VIEW_HOLES)
		forget_hole(end, 0);
	end->holes[end->hole_count++] = (struct view_hole){from, to, now_ns};
}

/* Takes what a segment brings out of the hole that it begins in. Returns since when that hole was there; 0: it begins
 * in none, so that it was seen before. */
static uint64_t fill_hole(struct view_end *end, uint32_t seq, uint32_t behind)
{
	struct view_hole hole;

	for (unsigned i = 0; i < end->hole_count; i++) {
		hole = end->holes[i];
		if (seq_before(seq, hole.from) || !seq_before(seq, hole.to))
			continue;
		forget_hole(end, i);
		if (seq_before(hole.from, seq))
			note_hole(end, hole.from, seq, hole.since_ns);
		if (seq_before(behind, hole.to))
			note_hole(end, behind, hole.to, hole.since_ns);
		return hole.since_ns;
	}
	return 0;
}

/* The SYN-ACK of an end that has sent a SYN: a simultaneous open (RFC 9293, 3.5). */
static bool completes_syn(const struct view_end *from, const struct segment *segment)
{
	return segment->flags & SEGMENT_SYN && segment->flags & SEGMENT_ACK && !from->has_acked;
}

/* Whether the kernel says of each segment that is sent again that it is: of one that a full socket sends. */
static bool is_told(const struct segment *segment)
{
	switch (segment->kind == SEGMENT_SENT ? segment->state : STATE_CLOSE) {
	case 0:
	case STATE_CLOSE:
	case STATE_LISTEN:
	case STATE_TIME_WAIT:
		return false;
	default:
		return true;
	}
}

static uint32_t mark_order(struct view *view, struct view_end *from, const struct view_end *to,
			   const struct segment *segment)
{
	uint64_t since, patience = view->handshake_ns > REORDER_NS ? view->handshake_ns : REORDER_NS;
	uint32_t length = seq_length(segment);

	if (!from->has_next || segment->flags & SEGMENT_RST || segment->kind == SEGMENT_ANSWERED)
		return 0;
	if (seq_before(from->next, segment->seq)) {
		note_hole(from, from->next, segment->seq, segment->time_ns);
		return MARK_BIT(GAP);
	}
	if (!length || !seq_before(segment->seq, from->next) || completes_syn(from, segment))
		return 0;
	since = fill_hole(from, segment->seq, segment->seq + length);
	if (is_told(segment) && !segment->is_again)
		return 0;
	if (to->duplicates >= 2 && to->acked == segment->seq)
		return MARK_BIT(FAST_RETRANSMIT);
	if (segment->is_again)
		return MARK_BIT(SENT_AGAIN);
	return since && segment->time_ns - since < patience ? MARK_BIT(OUT_OF_ORDER) : MARK_BIT(SENT_AGAIN);
}

/* A RST that answers takes its number from an ACK, or is 0 and acknowledges what has none (RFC 9293, 3.5.2). Any other
 * one is an end that aborts. */
static bool is_answer(const struct segment *reset, const struct segment *other)
{
	if (reset->sport != other->dport || reset->dport != other->sport ||
	    memcmp(&reset->src, &other->dst, sizeof(reset->src)))
		return false;
	if (other->flags & SEGMENT_ACK)
		return !(reset->flags & SEGMENT_ACK) && reset->seq == other->ack;
	return reset->flags & SEGMENT_ACK && !reset->seq && reset->ack == other->seq + seq_length(other);
}

static uint32_t mark_reset(const struct view *view, const struct segment *segment, struct view_row *row)
{
	if (!(segment->flags & SEGMENT_RST))
		return 0;
	for (uint64_t i = view->segments; i > 0 && i + VIEW_RECENT > view->segments; i--) {
		row->answered = view->recent[(i - 1) % VIEW_RECENT];
		if (is_answer(segment, &row->answered))
			return MARK_BIT(ANSWERS);
	}
	return 0;
}

uint32_t marks__find(struct view *view, const struct segment *segment, struct view_row *row)
{
	struct view_end *from = &view->ends[row->from], *to = &view->ends[!row->from];
	uint32_t marks = mark_probe(from, to, segment);

	if (from->has_fin && segment->len && seq_before(from->fin_seq, segment->seq + segment->len))
		marks |= MARK_BIT(AFTER_FIN);
	if (!marks)
		marks = mark_order(view, from, to, segment);
	marks |= mark_ack(from, to, segment);
	marks |= mark_window(from, segment);
	marks |= mark_reset(view, segment, row);
	/* Its ACK was lost; the mini-socket sends another one, and waits from the beginning (RFC 9293, 3.10.7.4). */
	if (to->state == STATE_TIME_WAIT && segment->flags & SEGMENT_FIN)
		marks |= MARK_BIT(RESTARTS_TIME_WAIT);
	row->duplicates = from->duplicates;
	return marks;
}
