// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden conns: connections as a whole, from a tracker of its own: a line for each one that ends, or a list of those
 * that live.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "filter.h"
#include "lines.h"
#include "log.h"
#include "netns.h"
#include "options.h"
#include "print.h"
#include "records.h"
#include "stream.h"

struct conns_options {
	struct filter_options filter;
	uint32_t state;
	bool open;
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct conns_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct conns_options, state),
	 "that were in STATE at the end; with --open: are in STATE"},
	{"open", 'o', OPTION_FLAG, 0, 0, NULL, offsetof(struct conns_options, open),
	 "list what lives now, in every state, and end"},
	STREAM_ROWS(struct conns_options, stream, "stop by itself; not with --open", "stop after N connections"),
};

static const struct option_table table = {
	.command = "conns",
	.arguments = "",
	.summary = "Prints a line for each TCP connection that ends on this machine, in all network namespaces, live.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* Widths of the columns, 0 where one is left out; the first that fits the terminal is taken. */
struct layout {
	unsigned least; /* columns of the terminal */
	int time, state, pid, comm, owner, local, remote, age, handshake, sent, received, retransmits, how;
};

#define HOW_SHORT 14 /* the ending alone */

static const struct layout ended_layouts[] = {
	{183, .time = 15, .pid = 7, .comm = 15, .local = 27, .remote = 27, .age = 9, .handshake = 9, .sent = 8,
	 .received = 8, .retransmits = 7, .how = 38},
	{160, .time = 12, .pid = 7, .comm = 15, .local = 21, .remote = 21, .age = 9, .handshake = 9, .sent = 8,
	 .received = 8, .how = 38},
	{118, .time = 12, .comm = 15, .local = 21, .remote = 21, .age = 9, .sent = 8, .received = 8, .how = HOW_SHORT},
	{102, .time = 12, .comm = 15, .local = LINES_PORT_ONLY, .remote = 21, .age = 9, .sent = 8, .received = 8,
	 .how = HOW_SHORT},
	{0, .local = LINES_PORT_ONLY, .remote = 21, .age = 9, .sent = 8, .received = 8, .how = HOW_SHORT},
};

static const struct layout open_layouts[] = {
	{149, .state = 12, .pid = 7, .comm = 15, .owner = 8, .local = 27, .remote = 27, .age = 9, .sent = 8,
	 .received = 8, .retransmits = 7, .how = 8},
	{120, .state = 12, .pid = 7, .comm = 15, .local = 21, .remote = 21, .age = 9, .sent = 8, .received = 8,
	 .how = 8},
	{103, .state = 12, .comm = 15, .local = 21, .remote = 21, .age = 9, .sent = 8, .received = 8},
	{0, .state = 12, .pid = 7, .local = LINES_PORT_ONLY, .remote = 21, .age = 9, .sent = 8, .received = 8},
};

/* The stream comes first: a pointer to it, as its context, is one to the whole. */
struct conns {
	struct stream stream;
	struct conns_options options;
	const struct layout *layout;
};

static const char *const arrows[] = {[ROLE_UNKNOWN] = "--", [ROLE_CLIENT] = "->", [ROLE_SERVER] = "<-"};

static const struct layout *choose_layout(bool open)
{
	const struct layout *layout = open ? open_layouts : ended_layouts;
	unsigned width = lines__width();

	while (layout->least > width)
		layout++;
	return layout;
}

static void print_header(const struct layout *l, bool open)
{
	struct line line = {};

	printf("%s", print_bold());
	lines__column(&line, l->time, LINE_LEFT, "TIME");
	lines__column(&line, l->state, LINE_LEFT, "STATE");
	lines__column(&line, l->pid, LINE_LEFT, "PID");
	lines__column(&line, l->comm, LINE_LEFT, "COMM");
	lines__column(&line, l->owner, LINE_LEFT, "OWNER");
	lines__local_header(&line, l->local);
	lines__column(&line, 2, LINE_LEFT, "");
	lines__column(&line, l->remote, LINE_LEFT, "REMOTE");
	lines__column(&line, l->age, LINE_RIGHT, open ? "AGE" : "DURATION");
	lines__column(&line, l->handshake, LINE_RIGHT, "HANDSHAKE");
	lines__column(&line, l->sent, LINE_RIGHT, "SENT");
	lines__column(&line, l->received, LINE_RIGHT, "RECEIVED");
	lines__column(&line, l->retransmits, LINE_RIGHT, "RETRANS");
	lines__column(&line, l->how, LINE_LEFT, open ? "" : "HOW");
	printf("%s\n", print_plain());
}

static void print_counts(struct line *line, const struct layout *l, const struct life *life)
{
	char text[PRINT_NUMBER_LEN];

	lines__column(line, l->sent, LINE_RIGHT, records__has_counts(life) ? print_bytes(text, life->sent) : "-");
	lines__column(line, l->received, LINE_RIGHT,
		      records__has_counts(life) ? print_bytes(text, life->received) : "-");
	lines__column(line, l->retransmits, LINE_RIGHT,
		      records__has_retransmits(life) ? print_count(text, life->retransmits) : "-");
}

/* How it ended, and who closed first; or why it never came to be. */
static void print_how(struct line *line, const struct layout *l, const struct life *life)
{
	const char *ending = print_ending(life->event.ending), *closer = records__closer(life);
	char text[64];

	if (life->established && closer)
		snprintf(text, sizeof(text), "%s, %s closed first", ending, closer);
	else if (!life->established && life->event.ending == ENDING_TIMEOUT)
		snprintf(text, sizeof(text), "never established: no answer (%s)", ending);
	else
		snprintf(text, sizeof(text), "%s%s", life->established ? "" : "never established: ", ending);
	lines__coloured(line, l->how, life->established ? "" : print_red(), l->how == HOW_SHORT ? ending : text);
}

static void print_line(const struct conns *conns, const struct life *life)
{
	char text[PRINT_TIME_LEN], when[PRINT_TIME_LEN];
	const struct layout *l = conns->layout;
	const struct event *e = &life->event;
	struct line line = {};

	if (l->time) {
		print_time(when, events__realtime(conns->stream.events, e->time_ns));
		snprintf(text, sizeof(text), "%.*s", l->time, when + sizeof("2026-01-01T") - 1);
		lines__column(&line, l->time, LINE_LEFT, text);
	}
	lines__column(&line, l->state, LINE_LEFT, print_state(e->new));
	lines__owner(&line, l->pid, l->comm, &e->owner);
	lines__column(&line, l->owner, LINE_LEFT, print_owner_kind(e->owner.kind));
	lines__local(&line, l->local, &e->flow);
	lines__column(&line, 2, LINE_LEFT, arrows[life->role]);
	lines__remote(&line, l->remote, &e->flow);
	lines__column(&line, l->age, LINE_RIGHT, lines__duration(text, e));
	lines__column(&line, l->handshake, LINE_RIGHT,
		      print_duration(text, life->handshake_ns ? life->handshake_ns : DURATION_UNKNOWN));
	print_counts(&line, l, life);
	if (e->ending)
		print_how(&line, l, life);
	else
		lines__column(&line, l->how, LINE_LEFT, life->existed ? "snapshot" : "");
	putchar_unlocked('\n');
}

static void show(struct conns *conns, struct life *life)
{
	if (!filter__matches(&conns->options.filter, &life->event))
		return;
	records__whole_life(life);
	if (conns->stream.options.json)
		records__connection(stdout, life, events__realtime(conns->stream.events, life->event.time_ns));
	else
		print_line(conns, life);
	stream__printed(&conns->stream);
}

static void on_end(void *context, const struct event *event)
{
	struct conns *conns = context;
	struct life life;

	if (stream__is_full(&conns->stream))
		return;
	memcpy(&life, event, sizeof(life)); /* STREAM_LIVES: of which the event is the beginning */
	if (life.role == ROLE_SERVER)
		owners__resolve_accepted(conns->stream.owners, &life.event);
	show(conns, &life);
}

/* A half-open connection belongs to its listener. */
static bool on_socket(void *context, const struct life *life)
{
	struct conns *conns = context;
	struct life copy = *life;

	if (stream__is_full(&conns->stream))
		return false;
	if (copy.event.new == STATE_NEW_SYN_RECV)
		owners__recall(conns->stream.owners, &copy.event);
	show(conns, &copy);
	return true;
}

/* Of the namespace that we are in. */
static int list_here(void *context)
{
	struct conns *conns = context;

	return guard__sockets(conns->stream.guard, on_socket, conns);
}

/* Lines under a header: a new one where the terminal has been resized. */
static void fit_terminal(struct stream *stream)
{
	struct conns *conns = (struct conns *)stream;
	const struct layout *layout = choose_layout(conns->options.open);

	if (stream->options.json || layout == conns->layout)
		return;
	conns->layout = layout;
	print_header(layout, conns->options.open);
}

static int list(struct conns *conns)
{
	events__poll(conns->stream.events, 0);
	fit_terminal(&conns->stream);
	return netns__each(conns->options.filter.netns, list_here, conns) || stream__flush(&conns->stream);
}

static int follow(struct conns *conns)
{
	return stream__follow(&conns->stream, "following every TCP connection until stopped", fit_terminal);
}

int cmd_conns(int argc, char **argv)
{
	struct config config = {.stream = STREAM_LIVES, .cpus = libbpf_num_possible_cpus()};
	struct conns conns = {.options.filter = FILTER_ALL};
	const struct conns_options *options = &conns.options;
	int ret = options_parse(&table, argc, argv, &conns.options);

	if (ret < 0)
		return -ret;
	if (options->open && options->stream.seconds) {
		log_error("conns: --duration has no meaning with --open, which lists once; leave one of them out");
		return EXIT_USAGE;
	}
	ret = 1;
	conns.stream.options = options->stream;
	filter__set(&config.filter, &options->filter);
	config.filter.state = options->state;
	if (!stream__open(&conns.stream, &config, GUARD_OWNERS | (options->open ? 0 : GUARD_TRACKER), on_end))
		ret = options->open ? list(&conns) : follow(&conns);
	stream__close(&conns.stream);
	return ret;
}
