// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder on a terminal. Narrow (from 80 columns): what does not fit on the rung stands below it. Wide: one line a
 * segment, with the time of day.
 *
 *      TIME  CLIENT (~)                                             SERVER (~)
 *         0     ~SYN_SENT |-- SYN seq=x -------------------------->| ~LISTEN
 *    193 us               |<- SYN ACK seq=y ack=x+1 ---------------| ~SYN_RECV
 */
#include <stdio.h>
#include <string.h>

#include "segments/words.h"
#include "text/address.h"
#include "text/clean.h"
#include "text/colour.h"
#include "text/names.h"
#include "text/print.h"

#define TIME_WIDTH  9
#define CLOCK_WIDTH 15 /* "12:34:56.123456" */
#define STATE_WIDTH 13 /* "~NEW_SYN_RECV" */
#define POLES	    (TIME_WIDTH + 1 + STATE_WIDTH + 1 + 2 + 1 + STATE_WIDTH)
#define RUNG_MAX    160
#define RUNG_INDENT 3
#define MIN_DASHES  1
#define OWNER_BYTES 48
#define ARROW_BYTES 4 /* "-- " and " ", or "<- " and " " */

static bool is_wide(const struct ladder *ladder)
{
	return ladder->width >= LADDER_WIDE;
}

/* Columns between the poles. */
static unsigned rung_width(const struct ladder *ladder)
{
	unsigned width = ladder->width - POLES - (is_wide(ladder) ? CLOCK_WIDTH + 1 : 0);

	return width < RUNG_MAX ? width : RUNG_MAX;
}

/* The i-th state that the end went through, "~ESTABLISHED" where it is inferred; "" for none. */
static const char *state_text(char buf[STATE_WIDTH + 1], const struct view_end *end, unsigned i)
{
	if (i >= end->passed_count)
		return "";
	snprintf(buf, STATE_WIDTH + 1, "%s%s", end->is_known ? "" : "~", print_state(end->passed[i]));
	return buf;
}

static void print_margin(const struct ladder *ladder, const char *clock, const char *time, const char *state)
{
	if (is_wide(ladder))
		fprintf(ladder->out, "%*s ", CLOCK_WIDTH, clock);
	fprintf(ladder->out, "%*s %s%*s%s ", TIME_WIDTH, time, print_bold(), STATE_WIDTH, state, print_plain());
}

static void print_right(const struct ladder *ladder, const char *state)
{
	if (*state)
		fprintf(ladder->out, " %s%s%s", print_bold(), state, print_plain());
	fputc('\n', ladder->out);
}

/* Appends a word if it fits; false where it does not. */
static bool append(char *line, size_t width, const char *word)
{
	size_t len = strlen(line);

	if (len + !!len + strlen(word) > width)
		return false;
	if (len)
		line[len++] = ' ';
	strcpy(line + len, word);
	return true;
}

/* "-- SYN seq=x ---->" or "<- SYN ACK seq=y ----", with a star where the filter stands before this host's TCP. */
static void print_rung(const struct ladder *ladder, int from, bool is_filtered, const char *label)
{
	size_t width = rung_width(ladder), dashes = width - strlen(label) - ARROW_BYTES - !from;

	fprintf(ladder->out, "|%s%s %s ", from ? "<" : is_filtered ? "*" : "-", from && is_filtered ? "*" : "-", label);
	while (dashes--)
		fputc('-', ladder->out);
	fputs(from ? "|" : ">|", ladder->out);
}

static void print_below(const struct ladder *ladder, const char *colour, const char *text)
{
	int width = rung_width(ladder) - RUNG_INDENT;

	print_margin(ladder, "", "", "");
	fprintf(ladder->out, "|%*s%s%-*.*s%s|\n", RUNG_INDENT, "", colour, width, width, text, print_plain());
}

static const char *clock_text(char buf[PRINT_TIME_LEN], const struct ladder *ladder, uint64_t time_ns)
{
	print_time(buf, time_ns + ladder->realtime_ns);
	memmove(buf, buf + sizeof("2026-01-01T") - 1, CLOCK_WIDTH);
	buf[CLOCK_WIDTH] = '\0';
	return buf;
}

/* Of each end, who it is: this host where the kernel tells its states. */
static const char *title_of(const struct view *view, int end)
{
	static const char *const roles[] = {"CLIENT", "SERVER"}, *const inferred[] = {"CLIENT (~)", "SERVER (~)"};
	static const char *const sides[] = {"LEFT (~)", "RIGHT (~)"};

	if (view->ends[0].is_local && view->ends[1].is_local)
		return roles[end];
	if (view->ends[0].is_local)
		return end ? "REMOTE (~)" : "THIS HOST";
	return view->ends[0].has_isn || view->ends[1].has_isn ? inferred[end] : sides[end];
}

static void print_title(const struct ladder *ladder, const struct view *view)
{
	fprintf(ladder->out, "%s", print_dim());
	if (is_wide(ladder))
		fprintf(ladder->out, "%-*s ", CLOCK_WIDTH, "TIME OF DAY");
	fprintf(ladder->out, "%*s  %-*s%s%s\n", TIME_WIDTH, "TIME", (int)rung_width(ladder) + STATE_WIDTH + 3,
		title_of(view, 0), title_of(view, 1), print_plain());
}

/* Who opens it: the left end, the right one, or unknown. */
static const char *arrow_of(const struct segment *first)
{
	bool by_sender = !(first->flags & SEGMENT_ACK);

	if (!(first->flags & SEGMENT_SYN))
		return "<->";
	return first->kind == SEGMENT_CAPTURED || by_sender == (first->kind == SEGMENT_SENT) ? "->" : "<-";
}

static const char *owner_text(char out[OWNER_BYTES], const struct owner *owner)
{
	char comm[COMM_LEN + 1];

	snprintf(comm, sizeof(comm), "%.*s", COMM_LEN, owner->comm);
	print_clean(comm);
	snprintf(out, OWNER_BYTES, "%s (%u)", comm, owner->pid);
	return out;
}

/* The poles are named with the first row, which tells who the client is. */
static void begin(struct ladder *ladder, const struct view *view, const struct segment *first)
{
	char left[PRINT_ENDPOINT_LEN], right[PRINT_ENDPOINT_LEN], owner[OWNER_BYTES];

	fprintf(ladder->out, "%s%s%s %s %s%s", ladder->number > 1 ? "\n" : "", print_bold(),
		print_endpoint(left, &view->ends[0].addr, view->ends[0].port), arrow_of(first),
		print_endpoint(right, &view->ends[1].addr, view->ends[1].port), print_plain());
	ladder->has_owner = ladder->owner.pid;
	if (ladder->has_owner)
		fprintf(ladder->out, "   %s", owner_text(owner, &ladder->owner));
	fputc('\n', ladder->out);
	if (first->kind != SEGMENT_CAPTURED && !(first->flags & SEGMENT_SYN))
		fprintf(ladder->out, "%sbegun before it was looked at, or an XDP program has answered its SYN%s\n",
			print_dim(), print_plain());
}

/* What of the words has no room on the rung, in lines below it. */
static void print_rest(const struct ladder *ladder, const struct words *words, unsigned next)
{
	unsigned width = rung_width(ladder) - RUNG_INDENT;
	char line[RUNG_MAX + 1] = "";

	for (; next < words->count; next++) {
		if (append(line, width, words->text[next]))
			continue;
		print_below(ladder, "", line);
		snprintf(line, sizeof(line), "%.*s", (int)width, words->text[next]);
	}
	if (*line)
		print_below(ladder, "", line);
}

/* In as many lines as it takes. */
static void print_http(const struct ladder *ladder)
{
	size_t width = rung_width(ladder) - RUNG_INDENT;
	const char *rest = ladder->detailed && ladder->line ? ladder->line : "";

	for (; *rest; rest += strnlen(rest, width))
		print_below(ladder, print_bold(), rest);
}

static void print_marks(const struct ladder *ladder, const struct words *marks)
{
	char line[RUNG_MAX + 1];

	for (unsigned i = 0; i < marks->count; i++) {
		snprintf(line, sizeof(line), "^ %s", marks->text[i]);
		print_below(ladder, print_yellow(), line);
	}
}

/* On a wide rung the marks stand in brackets. */
static void add_marks(struct words *words, const struct words *marks)
{
	for (unsigned i = 0; i < marks->count && words->count < WORDS_MAX; i++)
		snprintf(words->text[words->count++], WORD_BYTES, "[%.*s]", WORD_BYTES - 3, marks->text[i]);
}

/* As many words as fit. A wide rung takes all; a narrow one flags, numbers and length alone. Returns the next. */
static unsigned fill_rung(char *label, const struct words *words, unsigned count, size_t width)
{
	unsigned next = 0;

	while (next < count && append(label, width, words->text[next]))
		next++;
	return next;
}

/* An end that went through several states at once has the later ones below. */
static void print_passed(const struct ladder *ladder, const struct view *view)
{
	char left[STATE_WIDTH + 1], right[STATE_WIDTH + 1];

	for (unsigned i = 1; i < view->ends[0].passed_count || i < view->ends[1].passed_count; i++) {
		print_margin(ladder, "", "", state_text(left, &view->ends[0], i));
		fprintf(ladder->out, "|%*s|", (int)rung_width(ladder), "");
		print_right(ladder, state_text(right, &view->ends[1], i));
	}
}

/* Of a connection whose socket was named behind its header. */
static void print_late_owner(struct ladder *ladder)
{
	char line[OWNER_BYTES + 16], owner[OWNER_BYTES];

	if (ladder->has_owner || !ladder->owner.pid)
		return;
	ladder->has_owner = true;
	snprintf(line, sizeof(line), "owner: %s", owner_text(owner, &ladder->owner));
	print_below(ladder, print_dim(), line);
}

static void row(struct ladder *ladder, const struct view *view, const struct segment *segment,
		const struct view_row *row)
{
	char label[RUNG_MAX + 1] = "", left[STATE_WIDTH + 1], right[STATE_WIDTH + 1];
	char clock[PRINT_TIME_LEN], time[PRINT_NUMBER_LEN] = "0";
	struct words words, marks;
	unsigned next, width = rung_width(ladder) - ARROW_BYTES - 1 - MIN_DASHES;

	if (view->segments == 1)
		print_title(ladder, view);
	else
		print_duration(time, row->delta_ns);
	words__segment(&words, view, segment, row, ladder->numbers, ladder->detailed || is_wide(ladder));
	words__marks(&marks, view, segment, row, ladder->numbers);
	if (is_wide(ladder))
		add_marks(&words, &marks);
	next = fill_rung(label, &words, is_wide(ladder) ? words.count : words.base, width);
	print_margin(ladder, clock_text(clock, ladder, segment->time_ns), time, state_text(left, &view->ends[0], 0));
	print_rung(ladder, row->from, words__is_filtered(segment), label);
	print_right(ladder, state_text(right, &view->ends[1], 0));
	print_rest(ladder, &words, next);
	print_http(ladder);
	if (!is_wide(ladder))
		print_marks(ladder, &marks);
	print_passed(ladder, view);
	print_late_owner(ladder);
}

static void states(struct ladder *ladder, const struct view *view, uint64_t time_ns)
{
	char left[STATE_WIDTH + 1], right[STATE_WIDTH + 1], clock[PRINT_TIME_LEN], time[PRINT_NUMBER_LEN];

	print_duration(time, time_ns - view->last_ns);
	print_margin(ladder, clock_text(clock, ladder, time_ns), time, state_text(left, &view->ends[0], 0));
	fprintf(ladder->out, "|%*s|", (int)rung_width(ladder), "");
	print_right(ladder, state_text(right, &view->ends[1], 0));
	print_passed(ladder, view);
}

static void drop(struct ladder *ladder, const struct view *view, const struct segment *segment, const char *reason)
{
	char line[RUNG_MAX + 1];
	struct words words;

	words__dropped(&words, view, segment, reason, ladder->numbers);
	for (unsigned i = 0; i < words.count; i++) {
		snprintf(line, sizeof(line), "%c %s", i ? ' ' : 'x', words.text[i]);
		print_below(ladder, print_red(), line);
	}
}

static void end(struct ladder *ladder, const struct view *view)
{
	char closing[256], *part, *rest = closing;
	unsigned column = 0;

	words__closing(closing, sizeof(closing), view, ladder->ending);
	while ((part = strsep(&rest, ";"))) {
		if (column && column + strlen(part) + 2 > ladder->width) {
			fputs("\n ", ladder->out);
			column = 1;
		}
		column += fprintf(ladder->out, "%s%s", part, rest ? ";" : "\n");
	}
}

const struct ladder_format ladder_text = {.begin = begin, .row = row, .states = states, .drop = drop, .end = end};
