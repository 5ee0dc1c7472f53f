// SPDX-License-Identifier: GPL-2.0-only
/*
 * States of ends of which the kernel tells nothing: the state machine of RFC 9293, 3.3.2, driven by what an end is seen
 * to send, and by what the other end sent to it. That a segment arrives is assumed.
 */
#include "segments/view_parts.h"

static void enter(struct view_end *end, uint8_t state)
{
	if (end->is_known || end->state == state)
		return;
	end->state = state;
	if (end->passed_count < VIEW_PASSED)
		end->passed[end->passed_count++] = state;
}

static void infer_sent_syn(struct view_end *end, bool has_ack)
{
	switch (end->state) {
	case 0:
	case STATE_CLOSE:
	case STATE_LISTEN:
	case STATE_SYN_SENT:
		enter(end, has_ack ? STATE_SYN_RECV : STATE_SYN_SENT);
	}
}

static void infer_sent_fin(struct view_end *end)
{
	switch (end->state) {
	case STATE_ESTABLISHED:
	case STATE_SYN_RECV:
		enter(end, STATE_FIN_WAIT1);
		break;
	case STATE_CLOSE_WAIT:
		enter(end, STATE_LAST_ACK);
	}
}

static void infer_sender(struct view_end *end, const struct segment *segment)
{
	if (segment->flags & SEGMENT_RST) {
		enter(end, STATE_CLOSE);
		return;
	}
	if (segment->flags & SEGMENT_SYN)
		infer_sent_syn(end, segment->flags & SEGMENT_ACK);
	else if (!end->state)
		enter(end, STATE_ESTABLISHED);
	if (segment->flags & SEGMENT_FIN)
		infer_sent_fin(end);
}

static void infer_got_syn(struct view_end *end)
{
	switch (end->state) {
	case 0:
	case STATE_CLOSE:
	case STATE_TIME_WAIT:
		enter(end, STATE_LISTEN);
		break;
	case STATE_SYN_SENT: /* simultaneous open */
		enter(end, STATE_SYN_RECV);
	}
}

static void infer_got_ack(struct view_end *end, const struct segment *segment)
{
	bool acks_syn = end->has_isn && seq_before(end->isn, segment->ack);
	bool acks_fin = end->has_fin && seq_before(end->fin_seq, segment->ack);

	if (end->state == STATE_SYN_RECV && acks_syn)
		enter(end, STATE_ESTABLISHED);
	if (end->state == STATE_SYN_SENT && acks_syn && segment->flags & SEGMENT_SYN)
		enter(end, STATE_ESTABLISHED);
	if (!end->state && !(segment->flags & SEGMENT_SYN))
		enter(end, STATE_ESTABLISHED);
	if (!acks_fin)
		return;
	if (end->state == STATE_FIN_WAIT1)
		enter(end, STATE_FIN_WAIT2);
	else if (end->state == STATE_CLOSING)
		enter(end, STATE_TIME_WAIT);
	else if (end->state == STATE_LAST_ACK)
		enter(end, STATE_CLOSE);
}

static void infer_got_fin(struct view_end *end)
{
	switch (end->state) {
	case STATE_ESTABLISHED:
	case STATE_SYN_RECV:
		enter(end, STATE_CLOSE_WAIT);
		break;
	case STATE_FIN_WAIT1:
		enter(end, STATE_CLOSING);
		break;
	case STATE_FIN_WAIT2:
		enter(end, STATE_TIME_WAIT);
	}
}

static bool has_acked_fin(const struct view_end *to, const struct view_end *from)
{
	return from->has_fin && to->has_acked && seq_before(from->fin_seq, to->acked);
}

/* The FIN of `from` counts once all before it has come, or once `to` has acknowledged it. */
static void infer_fin(struct view_end *to, const struct view_end *from)
{
	bool is_acked = has_acked_fin(to, from);

	if (to->got_fin || !from->has_fin)
		return;
	if (!is_acked && (to->fin_crosses || !seq_before(from->fin_seq, seq_contiguous(from))))
		return;
	to->got_fin = true;
	infer_got_fin(to);
}

/* An end that sends without acknowledging the other's FIN had not received it: both cross. */
static void take_back_fin(struct view_end *end, const struct view_end *other, const struct segment *segment)
{
	if (!end->got_fin || !(segment->flags & SEGMENT_ACK) || segment->flags & SEGMENT_RST ||
	    has_acked_fin(end, other))
		return;
	end->got_fin = false;
	end->fin_crosses = true;
	if (end->state == STATE_CLOSE_WAIT)
		enter(end, STATE_ESTABLISHED);
	else if (end->state == STATE_CLOSING)
		enter(end, STATE_FIN_WAIT1);
	else if (end->state == STATE_TIME_WAIT)
		enter(end, STATE_FIN_WAIT2);
}

/*
 * A RST ends a connection; TIME_WAIT only if it has the very next number (RFC 1337; tcp_timewait_state_process()). The
 * kernel says nothing of that.
 */
static void infer_reset(struct view_end *to, const struct view_end *from, const struct segment *segment)
{
	if (to->state == STATE_TIME_WAIT) {
		if (!from->has_next || segment->seq != from->next)
			return;
		to->is_known = false;
	}
	enter(to, STATE_CLOSE);
}

static void infer_receiver(struct view_end *to, const struct view_end *from, const struct segment *segment)
{
	if (segment->flags & SEGMENT_RST) {
		infer_reset(to, from, segment);
		return;
	}
	if ((segment->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN)
		infer_got_syn(to);
	if (!(segment->flags & SEGMENT_FIN)) { /* what was sent after a FIN arrives after it */
		to->fin_crosses = false;
		infer_fin(to, from);
	}
	if (segment->flags & SEGMENT_ACK)
		infer_got_ack(to, segment);
	infer_fin(to, from);
}

void infer__states(struct view *view, const struct segment *segment, int from)
{
	/* TCP here knows nothing of what the filter keeps from it, or answers for it. */
	if (segment->kind == SEGMENT_JUDGED) {
		infer_sender(&view->ends[from], segment);
		return;
	}
	if (segment->kind == SEGMENT_ANSWERED) {
		infer_receiver(&view->ends[!from], &view->ends[from], segment);
		return;
	}
	take_back_fin(&view->ends[from], &view->ends[!from], segment);
	infer_fin(&view->ends[from], &view->ends[!from]);
	infer_sender(&view->ends[from], segment);
	infer_receiver(&view->ends[!from], &view->ends[from], segment);
}
