/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of view.c, which alone includes them: numbers, marks and states of one segment.
 */
#ifndef SYNWARDEN_SEGMENTS_VIEW_PARTS_H
#define SYNWARDEN_SEGMENTS_VIEW_PARTS_H

#include "segments/view.h"

/* a is before b, modulo 2^32 (RFC 9293, 3.4). */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* The numbers that a segment takes: payload, SYN and FIN. */
static inline uint32_t seq_length(const struct segment *segment)
{
	return segment->len + !!(segment->flags & SEGMENT_SYN) + !!(segment->flags & SEGMENT_FIN);
}

/* Behind the last number of `end` that leaves no hole before it. */
static inline uint32_t seq_contiguous(const struct view_end *end)
{
	return end->hole_count ? end->holes[0].from : end->next;
}

/* MARK_BIT()s of a segment, before the view has taken it. Notes holes in what its sender has sent. */
uint32_t marks__find(struct view *view, const struct segment *segment, struct view_row *row);

/* Moves the states of both ends on, after the view has taken the segment. */
void infer__states(struct view *view, const struct segment *segment, int from);

#endif
