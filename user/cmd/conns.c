// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden conns: a line for each connection that closes, from a tracker of its own, or a list of open ones.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "output/columns.h"
#include "output/http_counters.h"
#include "output/records.h"
#include "stream/filter.h"
#include "stream/follow.h"
#include "system/netns.h"
#include "text/colour.h"
#include "text/log.h"
#include "text/names.h"
#include "text/print.h"

struct conns_options {
	struct filter_options filter;
	bool open;
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct conns_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct conns_options, filter.state),
	 .help = "that closed from STATE; with --open: that are in STATE"},
	{"open", 'o', OPTION_FLAG, 0, 0, NULL, offsetof(struct conns_options, open),
	 .help = "list open connections, in every state, and exit"},
	STREAM_ROWS(struct conns_options, stream, "stop by itself; not with --open", "stop after N connections"),
};

static const struct option_table table = {
	.command = "conns",
	.arguments = "",
	.summary =
		"Prints a line for each TCP connection that closes on this machine, in all network namespaces, live.",
	.examples = "  synwarden conns --port 443\n"
		    "  synwarden conns --json | jq 'select(.reason == \"timeout\")'\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* Widths of the columns, 0: left out. The first layout that fits the terminal is taken. */
struct layout {
	unsigned least; /* columns of the terminal */
	int time, state, pid, comm, owner, local, remote, age, handshake, sent, received, retransmits, how;
};

/* Two more columns where a `run` counts HTTP or stdout is no terminal; not in the narrowest layout. */
#define PROTOCOL_WIDTH 8
#define REQUESTS_WIDTH 8
#define HTTP_WIDTH     (PROTOCOL_WIDTH + 1 + REQUESTS_WIDTH + 1)

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

struct conns {
	struct stream stream;
	struct conns_options options;
	const struct layout *layout;
	bool http; /* it has the columns of HTTP */
};

static const char *const arrows[] = {[ROLE_UNKNOWN] = "--", [ROLE_CLIENT] = "->", [ROLE_SERVER] = "<-"};

static const struct layout *choose_layout(const struct conns *conns, unsigned width)
{
	const struct layout *layout = conns->options.open ? open_layouts : ended_layouts;
	unsigned more = conns->http ? HTTP_WIDTH : 0;

	while (layout->least && layout->least + more > width)
		layout++;
	return layout;
}

static void print_header(const struct conns *conns)
{
	const struct layout *l = conns->layout;
	bool open = conns->options.open;
	struct line line = {};

	printf("%s", print_bold());
	columns__column(&line, l->time, LINE_LEFT, "TIME");
	columns__column(&line, l->state, LINE_LEFT, "STATE");
	columns__column(&line, l->pid, LINE_LEFT, "PID");
	columns__column(&line, l->comm, LINE_LEFT, "COMM");
	columns__column(&line, l->owner, LINE_LEFT, "OWNER");
	columns__local_header(&line, l->local);
	columns__column(&line, 2, LINE_LEFT, "");
	columns__column(&line, l->remote, LINE_LEFT, "REMOTE");
	columns__column(&line, l->age, LINE_RIGHT, open ? "AGE" : "DURATION");
	columns__column(&line, l->handshake, LINE_RIGHT, "HANDSHAKE");
	columns__column(&line, l->sent, LINE_RIGHT, "SENT");
	columns__column(&line, l->received, LINE_RIGHT, "RECEIVED");
	columns__column(&line, l->retransmits, LINE_RIGHT, "RETRANS");
	if (conns->http && l->least) {
		columns__column(&line, PROTOCOL_WIDTH, LINE_LEFT, "PROTOCOL");
		columns__column(&line, REQUESTS_WIDTH, LINE_RIGHT, "REQUESTS");
	}
	columns__column(&line, l->how, LINE_LEFT, open ? "" : "HOW");
	printf("%s\n", print_plain());
}

static void print_counts(struct line *line, const struct layout *l, const struct life *life)
{
	char text[PRINT_NUMBER_LEN];

	columns__column(line, l->sent, LINE_RIGHT, records__has_counts(life) ? print_bytes(text, life->sent) : "-");
	columns__column(line, l->received, LINE_RIGHT,
			records__has_counts(life) ? print_bytes(text, life->received) : "-");
	columns__column(line, l->retransmits, LINE_RIGHT,
			records__has_retransmits(life) ? print_count(text, life->retransmits) : "-");
}

static void print_http(struct line *line, const struct life *life)
{
	const char *protocol = http_counters__protocol(life->protocol);
	char text[1 + PRINT_NUMBER_LEN] = ">";

	print_count(text + life->more, life->requests);
	columns__column(line, PROTOCOL_WIDTH, LINE_LEFT, protocol ? protocol : "-");
	columns__column(line, REQUESTS_WIDTH, LINE_RIGHT, life->protocol == PROTOCOL_HTTP1 ? text : "-");
}

/* How it ended, and which side closed first; or why it was never established. */
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
	columns__coloured(line, l->how, life->established ? "" : print_red(), l->how == HOW_SHORT ? ending : text);
}

static void print_line(const struct conns *conns, const struct life *life)
{
	char text[PRINT_TIME_LEN], when[PRINT_TIME_LEN];
	const struct layout *l = conns->layout;
	const struct event *e = &life->event;
	struct line line = {};

	if (l->time) {
		print_time(when, events__realtime(conns->stream.tracker.events, e->time_ns));
		snprintf(text, sizeof(text), "%.*s", l->time, when + sizeof("2026-01-01T") - 1);
		columns__column(&line, l->time, LINE_LEFT, text);
	}
	columns__column(&line, l->state, LINE_LEFT, print_state(e->new));
	columns__owner(&line, l->pid, l->comm, &e->owner);
	columns__column(&line, l->owner, LINE_LEFT, print_owner_kind(e->owner.kind));
	columns__local(&line, l->local, e);
	columns__column(&line, 2, LINE_LEFT, arrows[life->role]);
	columns__remote(&line, l->remote, &e->flow);
	columns__column(&line, l->age, LINE_RIGHT, columns__duration(text, e));
	columns__column(&line, l->handshake, LINE_RIGHT,
			print_duration(text, life->handshake_ns ? life->handshake_ns : DURATION_UNKNOWN));
	print_counts(&line, l, life);
	if (conns->http && l->least)
		print_http(&line, life);
	if (e->ending)
		print_how(&line, l, life);
	else
		columns__column(&line, l->how, LINE_LEFT, life->existed ? "snapshot" : "");
	putchar_unlocked('\n');
}

static void show(struct conns *conns, struct life *life)
{
	if (!filter__matches(&conns->options.filter, &life->event))
		return;
	records__whole_life(life);
	if (conns->stream.options.json)
		records__connection(stdout, life, events__realtime(conns->stream.tracker.events, life->event.time_ns));
	else
		print_line(conns, life);
	follow__printed(&conns->stream);
}

static void on_end(void *context, const struct event *event)
{
	struct conns *conns = context;
	struct life life;

	if (follow__is_full(&conns->stream))
		return;
	memcpy(&life, event, sizeof(life)); /* STREAM_LIVES: the event is the beginning of a struct life */
	if (life.role == ROLE_SERVER)
		owners__resolve_accepted(conns->stream.tracker.owners, &life.event);
	show(conns, &life);
}

/* A half-open connection belongs to its listener. */
static bool on_socket(void *context, const struct life *life)
{
	struct conns *conns = context;
	struct life copy = *life;

	if (follow__is_full(&conns->stream))
		return false;
	if (copy.event.new == STATE_NEW_SYN_RECV)
		owners__recall(conns->stream.tracker.owners, &copy.event);
	show(conns, &copy);
	return true;
}

/* Of the current network namespace. */
static int list_here(void *context)
{
	struct conns *conns = context;

	return programs__sockets(conns->stream.tracker.programs, on_socket, conns);
}

/* Prints a header, and a new one where the terminal was resized. */
static void fit_terminal(void *context)
{
	struct conns *conns = context;
	unsigned width = columns__width();
	const struct layout *layout;

	conns->http = conns->stream.tracker.tells_http || width == UINT_MAX;
	layout = choose_layout(conns, width);
	if (conns->stream.options.json || layout == conns->layout)
		return;
	conns->layout = layout;
	print_header(conns);
}

static int list(struct conns *conns)
{
	events__poll(conns->stream.tracker.events, 0);
	fit_terminal(conns);
	return netns__each(conns->options.filter.netns, list_here, conns) || follow__flush(&conns->stream);
}

static int follow(struct conns *conns)
{
	return follow__follow(&conns->stream, "following every TCP connection until stopped");
}

int cmd_conns(int argc, char **argv)
{
	struct config config = {.stream = STREAM_LIVES};
	struct conns conns = {.options.filter = FILTER_ALL};
	const struct conns_options *options = &conns.options;
	int ret = options__parse(&table, argc, argv, &conns.options);

	if (ret < 0)
		return -ret;
	if (options->open && options->stream.seconds) {
		log_error("conns: --duration has no meaning with --open, which lists once; leave one of them out");
		return EXIT_USAGE;
	}
	ret = 1;
	conns.stream =
		(struct stream){.options = options->stream, .event = on_end, .before = fit_terminal, .context = &conns};
	filter__set(&config.filter, &options->filter);
	if (!follow__open(&conns.stream, &config,
			  PROGRAMS_OWNERS | (options->open ? 0 : PROGRAMS_TRACKER | PROGRAMS_READERS)))
		ret = options->open ? list(&conns) : follow(&conns);
	follow__close(&conns.stream);
	return ret;
}
