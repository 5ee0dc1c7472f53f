// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden states: the live stream of transitions, from a tracker of its own.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "cmd.h"
#include "filter.h"
#include "lines.h"
#include "options.h"
#include "print.h"
#include "records.h"
#include "stream.h"

enum time_kind {
	TIME_ABSOLUTE,
	TIME_RELATIVE,
	TIME_DELTA,
};

struct states_options {
	struct filter_options filter;
	uint32_t state;
	uint32_t time; /* enum time_kind */
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct states_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct states_options, state), "into or out of STATE"},
	{"time", 't', OPTION_CHOICE, 0, 0, "absolute|relative|delta", offsetof(struct states_options, time),
	 "time of day in UTC; or seconds since the start, or since the line before"},
	STREAM_ROWS(struct states_options, stream, "stop by itself", "stop after N transitions"),
};

static const struct option_table table = {
	.command = "states",
	.arguments = "",
	.summary = "Prints the state transitions of every TCP socket on this machine, in all network namespaces, live.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* Widths of the columns, 0 where one is left out; the first that fits the terminal is taken. */
struct layout {
	unsigned least; /* columns of the terminal */
	int time, pid, comm, local, remote, old, new, duration, how;
};

#define FULL 1 /* where there is no terminal */

/* Without a column of its own, how it ended takes the place of the new state, which is as wide as the longest ending.
 */
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

/* The stream comes first: a pointer to it, as its context, is one to the whole. */
struct states {
	struct stream stream;
	struct states_options options;
	const struct layout *layout;
	uint64_t time_ns; /* from which relative times count */
};

static const struct layout *choose_layout(void)
{
	const struct layout *layout = layouts;
	unsigned width = lines__width();

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
	lines__column(&line, l->time, LINE_LEFT, "TIME");
	lines__column(&line, l->pid, LINE_LEFT, "PID");
	lines__column(&line, l->comm, LINE_LEFT, "COMM");
	lines__local_header(&line, l->local);
	lines__column(&line, l->remote, LINE_LEFT, "REMOTE");
	lines__column(&line, l->old, LINE_LEFT, "OLD");
	lines__column(&line, 1, LINE_LEFT, ">");
	lines__column(&line, l->new, LINE_LEFT, l->how ? "NEW" : "NEW or HOW");
	lines__column(&line, l->duration, LINE_RIGHT, "DURATION");
	lines__column(&line, l->how, LINE_LEFT, "HOW");
	printf("%s\n", print_plain());
}

static void print_when(char buf[PRINT_TIME_LEN], struct states *states, uint64_t time_ns)
{
	int64_t passed = time_ns - states->time_ns;

	if (states->options.time == TIME_ABSOLUTE) {
		print_time(buf, events__realtime(states->stream.events, time_ns));
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
	lines__column(&line, l->time, LINE_LEFT, when);
	lines__owner(&line, l->pid, l->comm, &e->owner);
	lines__local(&line, l->local, &e->flow);
	lines__remote(&line, l->remote, &e->flow);
	lines__column(&line, l->old, LINE_LEFT, print_state(e->old));
	lines__column(&line, 1, LINE_LEFT, ">");
	lines__coloured(&line, l->new, e->ending ? print_dim() : "", l->how || !e->ending ? new : how);
	lines__column(&line, l->duration, LINE_RIGHT, lines__duration(text, e));
	lines__column(&line, l->how, LINE_LEFT, how);
	putchar('\n');
}

/* Lines under a header: a new one where the terminal has been resized. */
static void fit_terminal(struct stream *stream)
{
	struct states *states = (struct states *)stream;
	const struct layout *layout = choose_layout();

	if (stream->options.json || layout == states->layout)
		return;
	states->layout = layout;
	print_header(layout);
}

static void on_event(void *context, const struct event *event)
{
	struct states *states = context;
	struct stream *stream = &states->stream;
	struct event e = *event;

	if (stream__is_full(stream))
		return;
	owners__resolve(stream->owners, &e);
	if (!filter__matches(&states->options.filter, &e))
		return;
	if (stream->options.json)
		records__transition(stdout, &e, events__realtime(stream->events, e.time_ns));
	else
		print_line(states, &e);
	stream__printed(stream);
}

int cmd_states(int argc, char **argv)
{
	struct config config = {.stream = STREAM_EVENTS, .cpus = libbpf_num_possible_cpus()};
	struct states states = {.options.filter = FILTER_ALL};
	const struct states_options *options = &states.options;
	int ret = options_parse(&table, argc, argv, &states.options);

	if (ret < 0)
		return -ret;
	ret = 1;
	states.stream.options = options->stream;
	states.time_ns = clock__now();
	filter__set(&config.filter, &options->filter);
	config.filter.state = options->state;
	if (!stream__open(&states.stream, &config, GUARD_TRACKER | GUARD_OWNERS, on_event))
		ret = stream__follow(&states.stream, "following every TCP socket until stopped", fit_terminal);
	stream__close(&states.stream);
	return ret;
}
