/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection as a ladder: both ends as poles, a segment as a rung. Three formats of the same rows: text for a
 * terminal, JSON, and an SVG picture.
 */
#ifndef SYNWARDEN_SEGMENTS_LADDER_H
#define SYNWARDEN_SEGMENTS_LADDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "segments/view.h"

enum ladder_numbers {
	LADDER_TEXTBOOK, /* x, x+1 */
	LADDER_RELATIVE, /* 0, 1 */
	LADDER_ABSOLUTE,
};

#define LADDER_WIDE 110 /* columns from which on a row is one line, with the time of day */

struct ladder {
	FILE *out;
	unsigned width; /* columns of the text, at least 80 */
	enum ladder_numbers numbers;
	bool detailed;	     /* window and options of every segment, on a narrow terminal too, and `line` */
	const char *line;    /* of HTTP that the segment being shown begins with; NULL: none, or unknown */
	uint32_t number;     /* of the connection being shown, from 1 */
	uint32_t netns;	     /* its network namespace; 0: unknown */
	uint64_t cookie;     /* of its socket; 0: unknown */
	bool has_owner;	     /* `owner` has been shown */
	struct owner owner;  /* of its socket here */
	uint8_t ending;	     /* enum ending, as the kernel has it; ENDING_NONE: unknown */
	int64_t realtime_ns; /* to be added to a segment's time_ns for CLOCK_REALTIME */
	char *picture;	     /* of the SVG, until it is finished; see ladder_svg.c */
	size_t picture_bytes;
	FILE *drawing;
	unsigned drawn; /* height of the picture so far, in its own units */
};

/* A format. All are called in the order of the connection: begin, row by row, end. */
struct ladder_format {
	void (*begin)(struct ladder *ladder, const struct view *view, const struct segment *first);
	void (*row)(struct ladder *ladder, const struct view *view, const struct segment *segment,
		    const struct view_row *row);
	/* The states in view->ends[].passed, of which no segment is to be shown with them. */
	void (*states)(struct ladder *ladder, const struct view *view, uint64_t time_ns);
	/* A segment that was freed here; `reason` names why. */
	void (*drop)(struct ladder *ladder, const struct view *view, const struct segment *segment, const char *reason);
	void (*end)(struct ladder *ladder, const struct view *view);
	void (*finish)(struct ladder *ladder); /* after the last connection; NULL: nothing is to be done */
};

extern const struct ladder_format ladder_text;
extern const struct ladder_format ladder_json;
extern const struct ladder_format ladder_svg;

#endif
