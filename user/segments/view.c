// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection's numbers, and the order in which a segment is judged: what it is beside those before, then what it
 * adds, then what it does to both ends.
 */
#include <string.h>

#include "reasons.h"
#include "segments/view_parts.h"

#define BEFORE_FIRST 65536

static bool is_syn(const struct segment *segment)
{
	return (segment->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN;
}

static bool is_at(const struct view_end *end, const struct addr *addr, uint16_t port)
{
	return end->port == port && !memcmp(&end->addr, addr, sizeof(*addr));
}

void view__begin(struct view *view, const struct segment *first)
{
	int sender = (first->flags & (SEGMENT_SYN | SEGMENT_ACK)) == (SEGMENT_SYN | SEGMENT_ACK) ||
		     first->kind == SEGMENT_ARRIVED || first->kind == SEGMENT_JUDGED;

	memset(view, 0, sizeof(*view));
	view->ends[sender].addr = first->src;
	view->ends[sender].port = first->sport;
	view->ends[!sender].addr = first->dst;
	view->ends[!sender].port = first->dport;
	view->began_ns = view->last_ns = first->time_ns;
	view->opener = view->first_fin = view->reset_by = -1;
}

bool view__matches(const struct view *view, const struct segment *segment)
{
	const struct view_end *a = &view->ends[0], *b = &view->ends[1];

	return (is_at(a, &segment->src, segment->sport) && is_at(b, &segment->dst, segment->dport)) ||
	       (is_at(b, &segment->src, segment->sport) && is_at(a, &segment->dst, segment->dport));
}

static bool has_ended(uint8_t state)
{
	return state == STATE_CLOSE || state == STATE_TIME_WAIT;
}

bool view__is_reuse(const struct view *view, const struct segment *segment)
{
	const struct view_end *from = &view->ends[!is_at(&view->ends[0], &segment->src, segment->sport)];

	return is_syn(segment) && has_ended(view->ends[0].state) && has_ended(view->ends[1].state) &&
	       !(from->has_isn && from->isn == segment->seq);
}

/* The numbers of the sender. */
static void note_sent(struct view_end *from, const struct segment *segment)
{
	uint32_t behind = segment->seq + seq_length(segment);

	if (segment->flags & SEGMENT_SYN || !from->has_next)
		from->isn = segment->seq;
	if (segment->flags & SEGMENT_SYN)
		from->has_isn = true;
	if (segment->flags & SEGMENT_FIN) {
		from->has_fin = true;
		from->fin_seq = behind - 1;
	}
	/* Each challenge has a number of its own, and may be below that of the one before. */
	if (segment->kind == SEGMENT_ANSWERED)
		from->has_next = false;
	/* What is sent into a closed window is sent anew when that opens. */
	if (!(segment->flags & SEGMENT_RST) && !(from->last_marks & MARK_BIT(WINDOW_PROBE)) &&
	    (!from->has_next || seq_before(from->next, behind))) {
		from->has_next = true;
		from->next = behind;
	}
	if (!(segment->flags & SEGMENT_ACK) || segment->flags & SEGMENT_RST)
		return;
	from->has_acked = true;
	from->acked = segment->ack;
	from->window = segment->window;
}

/* In the middle of a connection, an ACK is the first that is known of the other end's numbers. */
static void note_acked(struct view_end *to, const struct segment *segment)
{
	if (to->has_next || !(segment->flags & SEGMENT_ACK) || segment->flags & SEGMENT_RST)
		return;
	to->has_next = true;
	to->isn = to->next = segment->ack;
}

static void note_handshake(struct view *view, const struct segment *segment, int from)
{
	if (is_syn(segment) && view->opener < 0)
		view->opener = from;
	if (view->opener < 0)
		return;
	if (from != view->opener) {
		view->has_answer = true;
		return;
	}
	if (is_syn(segment))
		view->syn_ns = segment->time_ns;
	else if (!view->handshake_ns && view->ends[!from].has_isn && !(segment->flags & SEGMENT_RST))
		view->handshake_ns = segment->time_ns - view->syn_ns;
}

static void note_end(struct view *view, const struct segment *segment, int from)
{
	if (segment->flags & SEGMENT_FIN && view->first_fin < 0)
		view->first_fin = from;
	if (segment->flags & SEGMENT_RST && view->reset_by < 0 && view__ending(view) != VIEW_CLOSED)
		view->reset_by = from;
}

void view__note_drop(struct view *view)
{
	view->dropped++;
}

void view__foresee(struct view *view, const struct segment *next, size_t count)
{
	bool sender = !is_at(&view->ends[0], &next->src, next->sport);
	uint32_t behind = next->seq + seq_length(next);

	if (!(next->flags & SEGMENT_FIN))
		return;
	for (size_t i = 1; i < count; i++) {
		if (next[i].sport == next->sport && !memcmp(&next[i].src, &next->src, sizeof(next->src)))
			continue;
		if (!(next[i].flags & SEGMENT_ACK) || next[i].flags & SEGMENT_RST)
			continue;
		view->ends[!sender].fin_crosses = seq_before(next[i].ack, behind);
		return;
	}
}

void view__clear_passed(struct view *view)
{
	view->ends[0].passed_count = view->ends[1].passed_count = 0;
}

void view__take(struct view *view, const struct segment *segment, struct view_row *row)
{
	struct view_end *from;

	*row = (struct view_row){
		.from = !is_at(&view->ends[0], &segment->src, segment->sport),
		.delta_ns = segment->time_ns > view->last_ns ? segment->time_ns - view->last_ns : 0,
	};
	view__clear_passed(view);
	from = &view->ends[row->from];
	row->marks = marks__find(view, segment, row);
	from->last_marks = row->marks;
	from->sent_again += !!(row->marks & (MARK_BIT(SENT_AGAIN) | MARK_BIT(FAST_RETRANSMIT)));
	note_sent(from, segment);
	note_acked(&view->ends[!row->from], segment);
	note_handshake(view, segment, row->from);
	note_end(view, segment, row->from);
	view->dropped += segment->kind == SEGMENT_JUDGED && segment->verdict == VERDICT_DROP;
	infer__states(view, segment, row->from);
	view->recent[view->segments++ % VIEW_RECENT] = *segment;
	view->last_ns = segment->time_ns;
}

int view__end_of(const struct view *view, const struct addr *addr, uint16_t port)
{
	for (int end = 0; end < 2; end++)
		if (is_at(&view->ends[end], addr, port))
			return end;
	return -1;
}

void view__set_state(struct view *view, int end, uint8_t state)
{
	struct view_end *at = &view->ends[end];

	/* What was inferred from the segment that this transition belongs to is superseded. */
	if (!at->is_known && at->state != state)
		at->passed_count = 0;
	at->is_known = true;
	if (at->state == state)
		return;
	at->state = state;
	if (at->passed_count < VIEW_PASSED)
		at->passed[at->passed_count++] = state;
}

enum view_ending view__ending(const struct view *view)
{
	const struct view_end *a = &view->ends[0], *b = &view->ends[1];

	if (view->reset_by >= 0)
		return view->opener == !view->reset_by && !view->ends[view->reset_by].has_isn ? VIEW_REFUSED
											      : VIEW_RESET;
	if (view->opener >= 0 && !view->has_answer)
		return VIEW_SILENT;
	return has_ended(a->state) && has_ended(b->state) ? VIEW_CLOSED : VIEW_OPEN;
}

int64_t view__offset(const struct view *view, int end, uint32_t number)
{
	uint32_t offset = number - view->ends[end].isn;

	return offset > UINT32_MAX - BEFORE_FIRST ? (int32_t)offset : (int64_t)offset;
}
