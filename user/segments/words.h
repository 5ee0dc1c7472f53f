/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rungs of a ladder say, in words that text and picture lay out.
 */
#ifndef SYNWARDEN_SEGMENTS_WORDS_H
#define SYNWARDEN_SEGMENTS_WORDS_H

#include <stddef.h>

#include "segments/ladder.h"

#define WORDS_MAX  20
#define WORD_BYTES 48

struct words {
	unsigned count;
	unsigned base; /* the first ones: flags, numbers and length */
	char text[WORDS_MAX][WORD_BYTES];
};

/* "x+1" of the end's own numbers, as `numbers` says; the plain number where nothing of the end is known. */
void words__number(char out[WORD_BYTES], const struct view *view, int end, uint32_t number,
		   enum ladder_numbers numbers);

/* Flags, numbers, length; behind them, where `all`, window and options; those of a SYN always. */
void words__segment(struct words *words, const struct view *view, const struct segment *segment,
		    const struct view_row *row, enum ladder_numbers numbers, bool all);

/* The marks of a row, one word each, such as "sent again"; what the filter did with the segment is the first. */
void words__marks(struct words *words, const struct view *view, const struct segment *segment,
		  const struct view_row *row, enum ladder_numbers numbers);

/* Whether the filter had a part in the segment: it is not TCP's here alone. */
bool words__is_filtered(const struct segment *segment);

/* "this host" and "the peer", of what is followed live; else "the client" and "the server" where the SYN was seen, or
 * "the left end" and "the right end". */
const char *words__end(const struct view *view, int end);

/* That a segment was dropped here, and why: two lines. */
void words__dropped(struct words *words, const struct view *view, const struct segment *segment, const char *reason,
		    enum ladder_numbers numbers);

/* How it ended (`ending`: enum ending, where the kernel says), what was sent again, how long the handshake took. */
void words__closing(char *out, size_t size, const struct view *view, unsigned ending);

#endif
