// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden states: state transitions, live, from a tracker of its own.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "output/columns.h"
#include "output/records.h"
#include "stream/filter.h"
#include "stream/follow.h"
#include "system/clock.h"
#include "text/colour.h"
#include "text/names.h"
#include "text/print.h"

enum time_kind {
	TIME_ABSOLUTE,
	TIME_RELATIVE,
	TIME_DELTA,
};

struct states_options {
	struct filter_options filter;
	uint32_t time; /* enum time_kind */
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct states_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct states_options, filter.state),
	 .help = "into or out of STATE"},
	{"time", 't', OPTION_CHOICE, 0, 0, "absolute|relative|delta", offsetof(struct states_options, time),
	 .help = "time of day in UTC; or seconds since the start, or since the line before"},
	STREAM_ROWS(struct states_options, stream, "stop by itself", "stop after N transitions"),
};

static const struct option_table table = {
	.command = "states",
	.arguments = "",
	.summary = "Prints the state transitions of every TCP socket on this machine, in all network namespaces, live.",
	.examples = "  synwarden states --port 443\n"
		    "  synwarden states --state SYN_RECV --json\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* Widths of the columns, 0: left out. The first layout that fits the terminal is taken. */
struct layout {
	unsigned least; /* columns of the terminal */
	int time, pid, comm, local, remote, old, new, duration, how;
};

#define FULL 1 /* where there is no terminal */

/* Without a column for it, the ending replaces the new state; the column is as wide as the longest ending. */
static const struct layout layouts[] = {
	{186, .time = 15, .pid = 7, .comm = 15, .local = 47, .remote = 47, .old = 11, .new = 11, .duration = 9,
	 .how = 14},
	{146, .time = 15, .pid = 7, .comm = 15, .local = 27, .remote = 27, .old = 11, .new = 11, .duration = 9,
	 .how = 14},
	{119, .time = 12, .pid = 7, .comm = 15, .local = 21, .remote = 21, .old = 11, .new = 14, .duration = 9},
	{95, .time = 12, .comm = 15, .local = LINES_PORT_ONLY, .remote = 21, .old = 11, .new = 14, .duration = 9},
	{79, .time = 12, .local = LINES_PORT_ONLY, .remote = 21, .old = 11, .new = 14, .duration = 9},
	{0, .local = LINES_PORT_ONLY, .remote = 21, .old = 11, .new = 14, .duration = 9},
};

struct states {
	struct stream stream;
	struct states_options options;
	const struct layout *layout;
	uint64_t time_ns; /* from which relative times count */
};

static const struct layout *choose_layout(void)
{
	const struct layout *layout = layouts;
	unsigned width = columns__width();

	if (width == UINT_MAX)
		return &layouts[FULL];
	while (layout->least > width)
		layout++;
	return layout;
}

static void print_header(const struct layout *l)
{
	struct line line = {};

	printf("%s", print_bold());
	columns__column(&line, l->time, LINE_LEFT, "TIME");
	columns__column(&line, l->pid, LINE_LEFT, "PID");
	columns__column(&line, l->comm, LINE_LEFT, "COMM");
	columns__local_header(&line, l->local);
	columns__column(&line, l->remote, LINE_LEFT, "REMOTE");
	columns__column(&line, l->old, LINE_LEFT, "OLD");
	columns__column(&line, 1, LINE_LEFT, ">");
	columns__column(&line, l->new, LINE_LEFT, l->how ? "NEW" : "NEW or HOW");
	columns__column(&line, l->duration, LINE_RIGHT, "DURATION");
	columns__column(&line, l->how, LINE_LEFT, "HOW");
	printf("%s\n", print_plain());
}

static void print_when(char buf[PRINT_TIME_LEN], struct states *states, uint64_t time_ns)
{
	int64_t passed = time_ns - states->time_ns;

	if (states->options.time == TIME_ABSOLUTE) {
		print_time(buf, events__realtime(states->stream.tracker.events, time_ns));
		memmove(buf, buf + sizeof("2026-01-01T") - 1, states->layout->time);
		buf[states->layout->time] = '\0';
		return;
	}
	snprintf(buf, PRINT_TIME_LEN, "%*.6f", states->layout->time, passed / 1e9);
	if (states->options.time == TIME_DELTA)
		states->time_ns = time_ns;
}

static void print_line(struct states *states, const struct event *e)
{
	const char *how = e->ending ? print_ending(e->ending) : "", *new = print_state(e->new);
	char text[PRINT_NUMBER_LEN], when[PRINT_TIME_LEN];
	const struct layout *l = states->layout;
	struct line line = {};

	print_when(when, states, e->time_ns);
	columns__column(&line, l->time, LINE_LEFT, when);
	columns__owner(&line, l->pid, l->comm, &e->owner);
	columns__local(&line, l->local, e);
	columns__remote(&line, l->remote, &e->flow);
	columns__column(&line, l->old, LINE_LEFT, print_state(e->old));
	columns__column(&line, 1, LINE_LEFT, ">");
	columns__coloured(&line, l->new, e->ending ? print_dim() : "", l->how || !e->ending ? new : how);
	columns__column(&line, l->duration, LINE_RIGHT, columns__duration(text, e));
	columns__column(&line, l->how, LINE_LEFT, how);
	putchar('\n');
}

/* Prints a header, and a new one where the terminal was resized. */
static void fit_terminal(void *context)
{
	struct states *states = context;
	const struct layout *layout = choose_layout();

	if (states->stream.options.json || layout == states->layout)
		return;
	states->layout = layout;
	print_header(layout);
}

static void on_event(void *context, const struct event *event)
{
	struct states *states = context;
	struct stream *stream = &states->stream;
	struct event e = *event;

	if (follow__is_full(stream))
		return;
	owners__resolve(stream->tracker.owners, &e);
	if (!filter__matches(&states->options.filter, &e))
		return;
	if (stream->options.json)
		records__transition(stdout, &e, events__realtime(stream->tracker.events, e.time_ns));
	else
		print_line(states, &e);
	follow__printed(stream);
}

int cmd_states(int argc, char **argv)
{
	struct config config = {.stream = STREAM_EVENTS};
	struct states states = {.options.filter = FILTER_ALL};
	const struct states_options *options = &states.options;
	int ret = options__parse(&table, argc, argv, &states.options);

	if (ret < 0)
		return -ret;
	ret = 1;
	states.stream = (struct stream){
		.options = options->stream, .event = on_event, .before = fit_terminal, .context = &states};
	states.time_ns = clock__now();
	filter__set(&config.filter, &options->filter);
	if (!follow__open(&states.stream, &config, PROGRAMS_TRACKER | PROGRAMS_OWNERS | PROGRAMS_READERS))
		ret = follow__follow(&states.stream, "following every TCP socket until stopped");
	follow__close(&states.stream);
	return ret;
}
