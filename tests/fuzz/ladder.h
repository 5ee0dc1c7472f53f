/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a ladder makes of any segments in any order. Input: SEGMENT_BYTES bytes a segment. Every state is a state, every
 * row is as wide as it should be, no JSON is broken, and nothing overflows.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_LADDER_H
#define SYNWARDEN_TESTS_FUZZ_LADDER_H

#include "fuzz.h"
#include "segments/ladder.h"
#include "text/names.h"

#define SEGMENT_BYTES 10
#define POLE_AT	      25 /* columns of a narrow ladder before its left pole */
#define RIGHT_POLE_AT 66

/* Numbers near each other, so that holes, repetitions and wraps come about. */
static struct segment make_segment(const uint8_t *bytes, uint64_t *now)
{
	struct segment segment = {
		.kind = SEGMENT_CAPTURED,
		.flags = bytes[1],
		.seq = (uint32_t)(int8_t)bytes[2] * 100,
		.ack = bytes[1] & SEGMENT_ACK ? (uint32_t)(int8_t)bytes[3] * 100 : 0,
		.len = bytes[4] % 4 ? bytes[4] * 100 : bytes[4] % 3,
		.window = bytes[5] % 4 ? bytes[5] : 0,
		.segs = bytes[6],
		.options = bytes[7] & 0x1f,
		.mss = bytes[8],
		.wscale = bytes[8] % 3 ? SEGMENT_NO_WSCALE : bytes[8],
		.sack = {bytes[8], bytes[9]},
		.src = {.bytes = {[10] = 0xff, [11] = 0xff, [15] = bytes[0] & 1}},
		.dst = {.bytes = {[10] = 0xff, [11] = 0xff, [15] = !(bytes[0] & 1)}},
		.sport = bytes[0] & 1,
		.dport = !(bytes[0] & 1),
	};

	segment.time_ns = *now += (uint64_t)bytes[9] << bytes[0] % 40;
	return segment;
}

static void check_states(const struct view *view)
{
	for (int end = 0; end < 2; end++) {
		PROPERTY(view->ends[end].passed_count <= VIEW_PASSED, "%u states", view->ends[end].passed_count);
		PROPERTY(view->ends[end].hole_count <= VIEW_HOLES, "%u holes", view->ends[end].hole_count);
		for (unsigned i = 0; i < view->ends[end].passed_count; i++)
			PROPERTY(*print_state(view->ends[end].passed[i]) != '?', "state %u", view->ends[end].passed[i]);
	}
}

/* Rungs have both poles where they belong, and end in column 80. */
static void check_text(const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		PROPERTY(end - text <= 80 || !strncmp(text, "reset", 5) || strstr(text, "; "), "too wide: %.*s",
			 (int)(end - text), text);
		if (end - text <= RIGHT_POLE_AT || text[POLE_AT - 1] != '|')
			continue;
		PROPERTY(text[RIGHT_POLE_AT - 1] == '|', "a pole is missing: %.*s", (int)(end - text), text);
	}
}

static void check_json(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		depth += (*text == '{') - (*text == '}');
		PROPERTY(depth >= 0 && (*text != '\n' || !depth), "an object does not close: %s", text);
	}
}

static void climb(const struct ladder_format *format, enum ladder_numbers numbers, const uint8_t *data, size_t size,
		  void (*check)(const char *text))
{
	struct ladder ladder = {.width = 80, .numbers = numbers, .number = 1};
	struct segment segment;
	struct view_row row;
	struct view view;
	uint64_t now = 0;
	size_t bytes;
	char *text;

	ladder.out = open_memstream(&text, &bytes);
	if (!ladder.out)
		abort();
	for (const uint8_t *at = data; at + SEGMENT_BYTES <= data + size; at += SEGMENT_BYTES) {
		segment = make_segment(at, &now);
		if (at == data) {
			view__begin(&view, &segment);
			format->begin(&ladder, &view, &segment);
		}
		view__take(&view, &segment, &row);
		check_states(&view);
		format->row(&ladder, &view, &segment, &row);
	}
	if (size >= SEGMENT_BYTES)
		format->end(&ladder, &view);
	if (format->finish)
		format->finish(&ladder);
	fclose(ladder.out);
	if (check)
		check(text);
	free(text);
}

static inline void fuzz_ladder(const uint8_t *data, size_t size)
{
	climb(&ladder_text, LADDER_TEXTBOOK, data, size, check_text);
	climb(&ladder_text, LADDER_ABSOLUTE, data, size, check_text);
	climb(&ladder_json, LADDER_RELATIVE, data, size, check_json);
	climb(&ladder_svg, LADDER_TEXTBOOK, data, size, NULL);
}

#endif
