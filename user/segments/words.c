// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments, marks and endings in words.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segments/words.h"
#include "text/names.h"
#include "text/print.h"

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *words, const char *format, ...)
{
	va_list arguments;

	if (words->count == WORDS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(words->text[words->count++], WORD_BYTES, format, arguments);
	va_end(arguments);
}

static bool is_known(const struct view_end *end)
{
	return end->has_next;
}

void words__number(char out[WORD_BYTES], const struct view *view, int end, uint32_t number, enum ladder_numbers numbers)
{
	int64_t offset = view__offset(view, end, number);

	if (numbers == LADDER_ABSOLUTE || !is_known(&view->ends[end]))
		snprintf(out, WORD_BYTES, "%" PRIu32, number);
	else if (numbers == LADDER_RELATIVE)
		snprintf(out, WORD_BYTES, "%" PRId64, offset);
	else if (offset)
		snprintf(out, WORD_BYTES, "%c%+" PRId64, "xy"[end], offset);
	else
		snprintf(out, WORD_BYTES, "%c", "xy"[end]);
}

static void add_flags(struct words *words, const struct segment *segment)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {
		{SEGMENT_SYN, "SYN "}, {SEGMENT_FIN, "FIN "}, {SEGMENT_RST, "RST "},
		{SEGMENT_PSH, "PSH "}, {SEGMENT_ACK, "ACK "}, {SEGMENT_URG, "URG "},
	};
	char text[WORD_BYTES] = "";

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (segment->flags & flags[i].flag)
			strcat(text, flags[i].name);
	if (*text)
		text[strlen(text) - 1] = '\0';
	add(words, "%s", *text ? text : "no flags");
}

static void add_options(struct words *words, const struct segment *segment)
{
	static const struct {
		uint8_t option;
		const char *name;
	} options[] = {
		{SEGMENT_OPTION_SACK_PERMITTED, "sack"},
		{SEGMENT_OPTION_TIMESTAMPS, "ts"},
		{SEGMENT_OPTION_TFO, "tfo"},
		{SEGMENT_OPTION_MPTCP, "mptcp"},
	};

	if (segment->mss)
		add(words, "mss=%u", segment->mss);
	if (segment->wscale != SEGMENT_NO_WSCALE)
		add(words, "wscale=%u", segment->wscale);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (segment->options & options[i].option)
			add(words, "%s", options[i].name);
	if (segment->flags & SEGMENT_ECE)
		add(words, segment->flags & SEGMENT_SYN ? "ecn" : "ece");
	if (segment->flags & SEGMENT_CWR && !(segment->flags & SEGMENT_SYN))
		add(words, "cwr");
}

/* What a number stands for, in the row where it is first seen. */
static void add_meaning(struct words *words, const struct view *view, const struct segment *segment, int from)
{
	const struct view_end *end = &view->ends[from];

	if (segment->flags & SEGMENT_SYN && end->isn == segment->seq)
		add(words, "%c=%" PRIu32, "xy"[from], end -> isn);
	if (view->segments > 1 || view->ends[0].has_isn || view->ends[1].has_isn)
		return;
	for (int i = 0; i < 2; i++)
		if (is_known(&view->ends[i]))
			add(words, "%c=%" PRIu32, "xy"[i], view -> ends[i].isn);
}

static void add_sack(struct words *words, const struct view *view, const struct segment *segment, int acked,
		     enum ladder_numbers numbers)
{
	char from[WORD_BYTES], behind[WORD_BYTES];

	if (!(segment->options & SEGMENT_OPTION_SACK))
		return;
	words__number(from, view, acked, segment->sack[0], numbers);
	words__number(behind, view, acked, segment->sack[1], numbers);
	add(words, "sack=%.20s..%.20s", from, behind);
}

void words__segment(struct words *words, const struct view *view, const struct segment *segment,
		    const struct view_row *row, enum ladder_numbers numbers, bool all)
{
	bool is_syn = segment->flags & SEGMENT_SYN;
	char number[WORD_BYTES];

	words->count = 0;
	add_flags(words, segment);
	words__number(number, view, row->from, segment->seq, numbers);
	add(words, "seq=%.40s", number);
	if (segment->flags & SEGMENT_ACK) {
		words__number(number, view, !row->from, segment->ack, numbers);
		add(words, "ack=%.40s", number);
	}
	if (segment->len)
		add(words, "len=%" PRIu32, segment->len);
	words->base = words->count;
	if (segment->segs > 1)
		add(words, "%u segments", segment->segs);
	if (numbers == LADDER_TEXTBOOK)
		add_meaning(words, view, segment, row->from);
	if (all || is_syn)
		add(words, "win=%u", segment->window);
	if (all || is_syn)
		add_options(words, segment);
	if (all || row->marks & MARK_BIT(DUPLICATE_ACK))
		add_sack(words, view, segment, !row->from, numbers);
}

/* "answers FIN ACK seq=x+80" */
static void add_answered(struct words *words, const struct view *view, const struct view_row *row,
			 enum ladder_numbers numbers)
{
	struct words what = {};
	char number[WORD_BYTES];

	add_flags(&what, &row->answered);
	words__number(number, view, !row->from, row->answered.seq, numbers);
	add(words, "answers %.20s seq=%.16s", what.text[0], number);
}

bool words__is_filtered(const struct segment *segment)
{
	return segment->kind == SEGMENT_JUDGED || segment->kind == SEGMENT_ANSWERED ||
	       (segment->kind == SEGMENT_ARRIVED && segment->reason);
}

/* A dry run passes what it would otherwise have dropped or challenged. */
static void add_verdict(struct words *words, const struct segment *segment)
{
	const char *reason = print_reason(segment->reason);
	enum verdict real = print_reason_verdict(segment->reason);

	if (segment->kind == SEGMENT_ANSWERED)
		add(words, "cookie by synwarden");
	else if (segment->verdict != real)
		add(words, "dry run of a %s: %s", print_verdict(real), reason);
	else if (real == VERDICT_TX)
		add(words, "challenged by synwarden");
	else
		add(words, "synwarden %s: %s", real == VERDICT_DROP ? "drops it" : "passes it", reason);
}

void words__marks(struct words *words, const struct view *view, const struct segment *segment,
		  const struct view_row *row, enum ladder_numbers numbers)
{
	static const char *const texts[] = {
#define X(name, json, text) [MARK_##name] = text,
		MARKS(X)
#undef X
	};

	words->count = 0;
	if (words__is_filtered(segment))
		add_verdict(words, segment);
	for (unsigned mark = 0; mark < MARK_MAX; mark++) {
		if (!(row->marks & 1U << mark))
			continue;
		if (mark == MARK_ANSWERS)
			add_answered(words, view, row, numbers);
		else if (mark == MARK_DUPLICATE_ACK)
			add(words, "%s %" PRIu32, texts[mark], row->duplicates);
		else if (mark == MARK_SENT_AGAIN || mark == MARK_FAST_RETRANSMIT)
			add(words, "%s (%" PRIu64 ")", texts[mark], view->ends[row->from].sent_again);
		else
			add(words, "%s", texts[mark]);
	}
}

void words__dropped(struct words *words, const struct view *view, const struct segment *segment, const char *reason,
		    enum ladder_numbers numbers)
{
	int from = view__end_of(view, &segment->src, segment->sport);
	struct words what = {};
	char number[WORD_BYTES];

	words->count = 0;
	add_flags(&what, segment);
	words__number(number, view, from < 0 ? 0 : from, segment->seq, numbers);
	add(words, "%.24s seq=%.16s dropped here:", what.text[0], number);
	add(words, "%s", reason);
}

const char *words__end(const struct view *view, int end)
{
	static const char *const roles[] = {"the client", "the server"}, *const live[] = {"this host", "the peer"};
	static const char *const sides[] = {"the left end", "the right end"};

	if (view->ends[0].is_local && !view->ends[1].is_local)
		return live[end];
	return view->ends[0].has_isn || view->ends[1].has_isn ? roles[end] : sides[end];
}

static void say_ending(FILE *out, const struct view *view)
{
	switch (view__ending(view)) {
	case VIEW_OPEN:
		if (view->first_fin < 0)
			fputs("open", out);
		else
			fprintf(out, "half closed: %s sent FIN", words__end(view, view->first_fin));
		break;
	case VIEW_CLOSED:
		fprintf(out, "closed: %s first", words__end(view, view->first_fin));
		break;
	case VIEW_RESET:
		fprintf(out, "reset by %s", words__end(view, view->reset_by));
		break;
	case VIEW_REFUSED:
		fprintf(out, "refused: the SYN was answered with a RST");
		break;
	case VIEW_SILENT:
		fprintf(out, "never answered");
	}
}

void words__closing(char *out, size_t size, const struct view *view, unsigned ending)
{
	uint64_t again = view->ends[0].sent_again + view->ends[1].sent_again;
	FILE *text = fmemopen(out, size, "w");
	char number[PRINT_NUMBER_LEN];

	*out = '\0';
	if (!text)
		return;
	say_ending(text, view);
	if (ending)
		fprintf(text, " (%s)", print_ending(ending));
	fprintf(text, "; %s segment%s", print_count(number, view->segments), view->segments == 1 ? "" : "s");
	if (again)
		fprintf(text, ", %s sent again", print_count(number, again));
	else
		fputs(", none sent again", text);
	if (view->dropped)
		fprintf(text, ", %s dropped here", print_count(number, view->dropped));
	if (view->handshake_ns)
		fprintf(text, "; handshake %s", print_duration(number, view->handshake_ns));
	fclose(text);
}
