// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden ladder: the segments of a connection, and the states of both ends. Live, the states of this host's ends are
 * the kernel's own. From a capture file it needs no root and no BPF.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/pins.h"
#include "kernel/verdicts.h"
#include "output/columns.h"
#include "segments.h"
#include "segments/from_file.h"
#include "segments/ladder.h"
#include "segments/live.h"
#include "stream/filter.h"
#include "stream/follow.h"
#include "system/clock.h"
#include "system/privileges.h"
#include "text/address.h"
#include "text/colour.h"
#include "text/log.h"
#include "text/print.h"

#define NARROW	    80
#define NO_TERMINAL 130 /* columns where stdout is none */

struct ladder_options {
	struct filter_options filter;
	const char *file;
	const char *interface;
	uint32_t numbers;     /* enum ladder_numbers */
	uint32_t connections; /* 0: one live, all of a file */
	uint32_t width;
	bool detailed;
	const char *svg;
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct ladder_options, filter),
	{"interface", 'i', OPTION_TEXT, 0, 0, "IFACE", offsetof(struct ladder_options, interface),
	 .help = "segments of this interface alone; default all, each segment once"},
	{"read", 'r', OPTION_TEXT, 0, 0, "FILE", offsetof(struct ladder_options, file),
	 .help = "read a capture file (pcap or pcapng); - for standard input"},
	{"seq", 0, OPTION_CHOICE, 0, 0, "textbook|relative|absolute", offsetof(struct ladder_options, numbers),
	 .help = "sequence numbers as x and y, counted from 0, or as on the wire; default textbook"},
	{"connections", 0, OPTION_NUMBER, 1, INT32_MAX, "N", offsetof(struct ladder_options, connections),
	 .help = "show N connections; default live 1, of a file all"},
	{"long", 'l', OPTION_FLAG, 0, 0, NULL, offsetof(struct ladder_options, detailed),
	 .help = "window and options of every segment; of a file, the first line of HTTP/1 messages, without query"},
	{"width", 0, OPTION_NUMBER, NARROW, 1000, "COLUMNS", offsetof(struct ladder_options, width),
	 .help = "of the text; default the terminal's; from 110 on with the time of day"},
	{"svg", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct ladder_options, svg),
	 .help = "draw a picture; - for standard output"},
	STREAM_ROWS(struct ladder_options, stream, "stop by itself", "show N segments of each connection"),
};

static const struct option_table table = {
	.command = "ladder",
	.arguments = "",
	.summary = "Shows TCP connections segment by segment, with the states of both ends. States with ~ are inferred "
		   "from the segments, others are the kernel's own. Live, one of --port, --addr, --netns and --pid is "
		   "needed.",
	.examples = "  synwarden ladder --port 443\n"
		    "  synwarden ladder --read capture.pcap --long\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* The context of what the stream calls. */
struct following {
	struct stream stream;
	const struct ladder_options *options;
	struct ladder *ladder;
	struct live *live;
	struct verdicts *verdicts; /* NULL: no filter tells what it does */
	uint64_t handed_ns;	   /* what happened up to then has been handed in */
};

static void on_verdict(void *context, const struct segment *segment)
{
	struct following *following = context;

	live__segment(following->live, segment);
}

static void on_event(void *context, const struct event *event)
{
	struct following *following = context;
	struct event resolved = *event;

	if (following->verdicts)
		verdicts__consume(following->verdicts, event->time_ns, on_verdict, following);
	if (event->what == RING_SEGMENT) {
		live__segment(following->live, (const struct segment *)event);
		return;
	}
	owners__resolve(following->stream.tracker.owners, &resolved);
	live__event(following->live, &resolved);
}

static bool is_wanted(void *context, const struct event *event)
{
	const struct following *following = context;

	return filter__matches(&following->options->filter, event);
}

static void watch(struct following *following)
{
	uint64_t lost = verdicts__lost(following->verdicts);

	verdicts__renew(following->verdicts);
	verdicts__consume(following->verdicts, following->handed_ns, on_verdict, following);
	if (lost)
		follow__lost(&following->stream, LOSS_WATCHES, lost);
}

/* Between two looks into the rings: the last one has handed in all that happened before the call before this one. */
static void tick(void *context)
{
	struct following *following = context;
	uint64_t now = clock__now();

	following->ladder->realtime_ns = events__realtime(following->stream.tracker.events, 0);
	if (following->verdicts)
		watch(following);
	if (following->handed_ns)
		live__tick(following->live, following->handed_ns);
	following->handed_ns = now;
	if (live__is_done(following->live))
		follow__printed(&following->stream);
}

static void end(struct following *following)
{
	struct live *live = following->live;

	if (following->verdicts)
		verdicts__consume(following->verdicts, UINT64_MAX, on_verdict, following);
	if (live__lost(live))
		log_warn("%lu segments came while another connection was shown, and had no room", live__lost(live));
	live__end(live);
}

/* Whether something is asked for that only the owner of a socket tells. */
static bool is_by_owner(const struct filter_options *filter)
{
	return filter->pid || filter->comm || *filter->cgroup.text;
}

/* Which of several processes accepted a connection matters only where one of them is asked for: to learn it, a program
 * runs at each read of a socket. */
static unsigned parts_for(const struct filter_options *filter)
{
	return PROGRAMS_TRACKER | PROGRAMS_OWNERS | PROGRAMS_SEGMENTS | (is_by_owner(filter) ? PROGRAMS_READERS : 0);
}

/* Opens all that takes rights, and gives those up. 0, or -1 after a message. */
static int begin(struct following *following, const struct config *config)
{
	const struct filter_options *filter = &following->options->filter;

	if (follow__open(&following->stream, config, parts_for(filter)))
		return -1;
	following->verdicts = verdicts__open(filter->netns ? filter->netns : pins__netns(), &config->filter);
	return privileges__drop_all();
}

static int follow(const struct ladder_options *options, const struct ladder_format *format, struct ladder *ladder,
		  uint32_t ifindex)
{
	const struct filter_options *filter = &options->filter;
	struct config config = {.stream = STREAM_LADDER};
	struct following following = {
		.stream =
			{
				.options = {.json = options->stream.json,
					    .seconds = options->stream.seconds,
					    .count = 1},
				.event = on_event,
				.before = tick,
				.context = &following,
			},
		.options = options,
		.ladder = ladder,
	};
	struct live_options live = {
		.format = format,
		.ladder = ladder,
		.connections = options->connections ? options->connections : 1,
		.count = options->stream.count,
		.ifindex = ifindex,
		.at_once = options->stream.json,
		.is_wanted = is_wanted,
		.by_owner = is_by_owner(filter),
		.context = &following,
	};
	int ret = 1;

	following.live = live__new(&live);
	if (!following.live)
		return 1;
	filter__set(&config.filter, filter);
	if (!begin(&following, &config))
		ret = follow__follow(&following.stream, "waiting for a connection");
	end(&following);
	verdicts__close(following.verdicts);
	follow__close(&following.stream);
	return ret;
}

static FILE *open_output(const struct ladder_options *options)
{
	FILE *out = stdout;

	if (options->svg && strcmp(options->svg, "-"))
		out = fopen(options->svg, "w");
	if (!out)
		log_error("cannot write %s: %s", options->svg, strerror(errno));
	return out;
}

static int close_output(const struct ladder_options *options, FILE *out)
{
	bool failed = fflush(out) || ferror(out);

	if (out != stdout && fclose(out))
		failed = true;
	if (failed && errno != EPIPE)
		log_error("cannot write %s: %s", options->svg ? options->svg : "standard output", strerror(errno));
	return failed ? -1 : 0;
}

static int show_file(const struct ladder_options *options, const struct ladder_format *format, struct ladder *ladder)
{
	struct from_file from = {
		.path = options->file,
		.port = options->filter.port,
		.addr = options->filter.addr.prefixlen == FILTER_NO_ADDR ? NULL : &options->filter.addr,
		.connections = options->connections ? options->connections : UINT32_MAX,
		.count = options->stream.count,
	};

	return from_file__show(&from, format, ladder) ? 1 : 0;
}

static int show(const struct ladder_options *options, uint32_t ifindex)
{
	const struct ladder_format *format = &ladder_text;
	unsigned width = columns__width();
	struct ladder ladder = {
		.out = open_output(options),
		.width = options->width	     ? options->width
			 : width == UINT_MAX ? NO_TERMINAL
					     : width,
		.numbers = options->numbers,
		.detailed = options->detailed,
	};
	int ret;

	if (!ladder.out)
		return 1;
	if (ladder.width < NARROW)
		ladder.width = NARROW;
	if (options->svg || options->stream.json)
		format = options->svg ? &ladder_svg : &ladder_json;
	print_colour_init(ladder.out);
	ret = options->file ? show_file(options, format, &ladder) : follow(options, format, &ladder, ifindex);
	if (format->finish)
		format->finish(&ladder);
	return close_output(options, ladder.out) ? 1 : ret;
}

/* What the options contradict each other in, or lack. 0, or EXIT_USAGE after a message. */
static int check(const struct ladder_options *options)
{
	const struct filter_options *filter = &options->filter;

	if (options->stream.json && options->svg)
		return -options__refuse(&table, "--json and --svg are two formats; one may be given");
	if (options->file && (is_by_owner(filter) || filter->netns || options->interface || options->stream.seconds))
		return -options__refuse(&table, "a file knows no owner, namespace, interface or duration: with --read, "
						"only --port and --addr select");
	if (!options->file && !filter->port && filter->addr.prefixlen == FILTER_NO_ADDR && !filter->netns &&
	    !filter->pid)
		return -options__refuse(&table, "one of --port, --addr, --netns and --pid is needed, or --read FILE");
	return 0;
}

int cmd_ladder(int argc, char **argv)
{
	struct ladder_options options = {.filter = FILTER_ALL};
	int ret = options__parse(&table, argc, argv, &options);
	uint32_t ifindex = 0;

	if (ret < 0)
		return -ret;
	ret = check(&options);
	if (ret)
		return ret;
	if (options.interface) {
		ifindex = if_nametoindex(options.interface);
		if (!ifindex)
			return -options__refuse(&table, "\"%s\" is no interface of this network namespace",
						options.interface);
	}
	return show(&options, ifindex);
}
