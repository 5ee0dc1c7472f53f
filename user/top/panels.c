// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smaller tables. All but those of the states and of the events have lines of the same form: two words, a rate, a
 * total. Lines whose total is zero are left out; the others are sorted by rate, then by total.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/address.h"
#include "text/names.h"
#include "text/print.h"
#include "top/panels.h"

#define GAP		2
#define MOST_ROWS	64
#define STATE_NUMBER	7
#define COUNTER_NUMBER	7
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct line {
	char text[PRINT_PREFIX_LEN];
	double rate;
	uint64_t total;
	enum canvas_style style;
};

struct panel {
	const char *heading;
	struct line lines[MOST_ROWS];
	int count;
};

_Static_assert(REASON_MAX <= MOST_ROWS && 2 * ENDING_MAX <= MOST_ROWS && SNAPSHOT_SOURCES <= MOST_ROWS &&
		       TALLY_MAX <= MOST_ROWS,
	       "all lines of a panel");

/* Of a listener's accepted child, the tracker sees it leave LISTEN, where the listener stays. It sees neither how
 * half-open connections change nor the end of TIME_WAIT. */
static bool is_seen_to_leave(unsigned state)
{
	return state != STATE_TIME_WAIT && state != STATE_NEW_SYN_RECV && state != STATE_LISTEN;
}

struct state_line {
	uint64_t count;
	double in, out;
};

static struct state_line state_line(const struct rates *rates, unsigned state)
{
	const struct snapshot *before = rates->before ?: rates->now, *now = rates->now;
	struct state_line line = {now->census.states[state], RATE_UNKNOWN, RATE_UNKNOWN};

	if (state != STATE_NEW_SYN_RECV)
		line.in = rates__of(rates, snapshot__entered(before, state), snapshot__entered(now, state));
	if (is_seen_to_leave(state))
		line.out = rates__of(rates, snapshot__left(before, state), snapshot__left(now, state));
	return line;
}

/* CLOSE is no state that a socket stays in. The last ones are shown only where there is something in them. */
static const unsigned states_in_order[] = {
	STATE_ESTABLISHED, STATE_NEW_SYN_RECV, STATE_TIME_WAIT, STATE_LISTEN,	STATE_SYN_SENT, STATE_SYN_RECV,
	STATE_CLOSE_WAIT,  STATE_FIN_WAIT1,    STATE_FIN_WAIT2, STATE_LAST_ACK, STATE_CLOSING,
};

#define ALWAYS_SHOWN 4

_Static_assert(COUNT_OF(states_in_order) + 1 == STATES_ROWS, "every state");

int panels__states(const struct rates *rates, struct canvas *canvas, int row, int column, int rows)
{
	char n[PRINT_NUMBER_LEN], in[PRINT_NUMBER_LEN], out[PRINT_NUMBER_LEN];
	int at = 0;

	if (rows > 0)
		canvas__put(canvas, row + at++, column, CANVAS_HEADING, "%-12s %*s %*s %*s", "STATE", STATE_NUMBER,
			    "NOW", STATE_NUMBER, "IN/S", STATE_NUMBER, "OUT/S");
	for (size_t i = 0; i < COUNT_OF(states_in_order) && at < rows; i++) {
		struct state_line line = state_line(rates, states_in_order[i]);

		if (i >= ALWAYS_SHOWN && !line.count && line.in <= 0 && line.out <= 0)
			continue;
		canvas__put(canvas, row + at++, column, CANVAS_PLAIN, "%-12s %*s %*s %*s",
			    print_state(states_in_order[i]), STATE_NUMBER, print_short(n, line.count), STATE_NUMBER,
			    rates__text(in, line.in), STATE_NUMBER, rates__text(out, line.out));
	}
	return at;
}

/* `was` and `is`: a counter's value in the earlier and the later snapshot. */
static void add_line(struct panel *panel, const struct rates *rates, enum canvas_style style, uint64_t was, uint64_t is,
		     const char *first, const char *second)
{
	struct line *line = &panel->lines[panel->count];

	if (!is)
		return;
	panel->count++;
	line->style = style;
	line->rate = rates__of(rates, was, is);
	line->total = is;
	snprintf(line->text, sizeof(line->text), "%-9s %s", first, second);
}

static void make_verdicts(struct panel *panel, const struct rates *rates)
{
	static const enum canvas_style styles[] = {
		[VERDICT_PASS] = CANVAS_GOOD, [VERDICT_DROP] = CANVAS_BAD, [VERDICT_TX] = CANVAS_WARN};
	const struct snapshot *before = rates->before ?: rates->now;

	panel->heading = "VERDICT   REASON";
	for (unsigned i = 0; i < REASON_MAX; i++)
		add_line(panel, rates, styles[print_reason_verdict(i)], before->verdicts[i].packets,
			 rates->now->verdicts[i].packets, print_verdict(print_reason_verdict(i)), print_reason(i));
}

/* The source's count in the earlier snapshot; 0 and *known false if it was not among the most limited ones then. */
static uint64_t dropped_before(const struct snapshot *before, const struct addr *addr, bool *known)
{
	size_t i;

	for (i = 0; before && i < before->source_count; i++) {
		if (memcmp(&before->sources[i].addr, addr, sizeof(*addr)) == 0) {
			*known = true;
			return before->sources[i].dropped;
		}
	}
	*known = false;
	return 0;
}

static void make_sources(struct panel *panel, const struct rates *rates)
{
	const struct snapshot *now = rates->now;
	uint64_t before;
	bool known;
	size_t i;

	panel->heading = now->meta.source_limit ? "MOST LIMITED SOURCES" : "SOURCES: NO LIMIT";
	for (i = 0; i < now->source_count; i++) {
		struct line *line = &panel->lines[panel->count++];

		before = dropped_before(rates->before, &now->sources[i].addr, &known);
		line->rate = known ? rates__of(rates, before, now->sources[i].dropped) : RATE_UNKNOWN;
		line->total = now->sources[i].dropped;
		line->style = CANVAS_PLAIN;
		print_source(line->text, &now->sources[i].addr);
	}
}

static void make_endings(struct panel *panel, const struct rates *rates)
{
	static const char *const was_open[] = {"was open", "never"};
	const struct snapshot *before = rates->before ?: rates->now;

	panel->heading = "CONNECTION ENDED BY";
	for (unsigned never = 0; never < COUNT_OF(was_open); never++)
		for (unsigned i = ENDING_NONE + 1; i < ENDING_MAX; i++)
			add_line(panel, rates, CANVAS_PLAIN, before->endings[never][i], rates->now->endings[never][i],
				 was_open[never], print_ending(i));
}

static void make_segments(struct panel *panel, const struct rates *rates)
{
	static const struct {
		const char *what, *kind;
	} names[] = {
#define X(name, json, metric, labels, what, kind, help) {what, kind},
		TALLIES(X)
#undef X
	};
	const struct snapshot *before = rates->before ?: rates->now;

	panel->heading = "RESETS, RETRANSMITS";
	for (size_t i = 0; i < TALLY_MAX; i++)
		add_line(panel, rates, CANVAS_PLAIN, before->tallies[i], rates->now->tallies[i], names[i].what,
			 names[i].kind);
}

/* In display order, which is also the order in which they get spare rows; `least`: rows that each gets first. */
static const struct {
	void (*make)(struct panel *panel, const struct rates *rates);
	int least;
} kinds[] = {
	{make_verdicts, 5},
	{make_sources, 2},
	{make_endings, 3},
	{make_segments, 3},
};

#define PANELS COUNT_OF(kinds)

static int by_rate(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate < y->rate ? 1 : -1;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->text, y->text);
}

static void draw(const struct panel *panel, struct canvas *canvas, int row, int column, int rows)
{
	enum { TEXT = PANEL_WIDTH - 2 * (COUNTER_NUMBER + 1) };
	char rate[PRINT_NUMBER_LEN], total[PRINT_NUMBER_LEN];
	int i;

	if (rows > 0)
		canvas__put(canvas, row, column, CANVAS_HEADING, "%-*s %*s %*s", TEXT, panel->heading, COUNTER_NUMBER,
			    "/S", COUNTER_NUMBER, "TOTAL");
	for (i = 0; i < rows - 1 && i < panel->count; i++) {
		const struct line *line = &panel->lines[i];

		canvas__put(canvas, row + 1 + i, column, line->style, "%-*.*s", TEXT, TEXT, line->text);
		canvas__put(canvas, row + 1 + i, column + TEXT, CANVAS_PLAIN, " %*s %*s", COUNTER_NUMBER,
			    rates__text(rate, line->rate), COUNTER_NUMBER, print_short(total, line->total));
	}
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* Rows of each panel: first its least, then as many as it has lines for. */
static void share_out(const struct panel *panels, size_t first, size_t end, int rows, int *got)
{
	size_t i;
	int more;

	for (i = first; i < end; i++) {
		got[i] = smaller(rows, smaller(panels[i].count + 1, kinds[i].least));
		rows -= got[i];
	}
	for (i = first; i < end; i++) {
		more = smaller(rows, panels[i].count + 1 - got[i]);
		got[i] += more;
		rows -= more;
	}
}

int panels__counters(const struct rates *rates, struct canvas *canvas, int row, int column, int rows)
{
	struct panel panels[PANELS] = {};
	int beside = (canvas->columns - column + GAP) / (PANEL_WIDTH + GAP), got[PANELS], at = row, end = row;
	size_t i, stack = beside < 1 ? PANELS : (PANELS + beside - 1) / beside;

	for (i = 0; i < PANELS; i++) {
		kinds[i].make(&panels[i], rates);
		qsort(panels[i].lines, panels[i].count, sizeof(panels[i].lines[0]), by_rate);
	}
	for (i = 0; i < PANELS; i++) {
		if (i % stack == 0) {
			share_out(panels, i, smaller(i + stack, PANELS), rows, got);
			at = row;
		}
		draw(&panels[i], canvas, at, column + (int)(i / stack) * (PANEL_WIDTH + GAP), got[i]);
		at += got[i];
		end = at > end ? at : end;
	}
	return end - row;
}
