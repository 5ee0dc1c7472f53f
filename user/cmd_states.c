// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden states: the live stream of transitions, from a tracker of its own.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "events.h"
#include "filter.h"
#include "guard.h"
#include "log.h"
#include "options.h"
#include "owners.h"
#include "print.h"

#define RING_BYTES (16 << 20) /* about 140,000 events: a second and more of any machine's connections */
#define POLL_MS	   50

struct states_options {
	struct filter_options filter;
	uint32_t state;
	bool json;
	uint32_t seconds;
	uint32_t count;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct states_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct states_options, state), "into or out of STATE"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct states_options, json), "one JSON object a line"},
	{"duration", 'd', OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(struct states_options, seconds),
	 "stop by itself"},
	{"count", 'c', OPTION_NUMBER, 1, 4294967295, "N", offsetof(struct states_options, count),
	 "stop after N transitions"},
};

static const struct option_table table = {
	.command = "states",
	.arguments = "",
	.summary = "Prints the state transitions of every TCP socket on this machine, in all network namespaces, live.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

struct stream {
	struct states_options options;
	struct owners *owners;
	struct events *events;
	uint64_t printed;
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static void print_json(const struct event *e, uint64_t realtime_ns)
{
	char laddr[PRINT_ADDR_LEN], raddr[PRINT_ADDR_LEN], time[PRINT_TIME_LEN];
	bool known = e->owner.pid != 0;
	struct json json;

	json_begin(&json, stdout);
	json_string(&json, "ts", print_time(time, realtime_ns));
	json_number(&json, "cookie", e->cookie);
	json_number(&json, "family", print_is_v4(&e->flow.laddr) ? 4 : 6);
	json_string(&json, "laddr", print_addr(laddr, &e->flow.laddr));
	json_number(&json, "lport", e->flow.lport);
	json_string(&json, "raddr", print_addr(raddr, &e->flow.raddr));
	json_number(&json, "rport", e->flow.rport);
	json_string(&json, "old", print_state(e->old));
	json_string(&json, "new", print_state(e->new));
	json_micros(&json, "duration_us", e->duration_ns);
	if (known)
		json_number(&json, "pid", e->owner.pid);
	else
		json_null(&json, "pid");
	json_string(&json, "comm", known ? e->owner.comm : NULL);
	json_string(&json, "owner", print_owner_kind(e->owner.kind));
	json_number(&json, "netns", e->flow.netns);
	if (e->ending)
		json_string(&json, "reason", print_ending(e->ending));
	json_end(&json);
}

static void print_header(void)
{
	printf("%s%-15s  %-7s %-15s  %-27s  %-27s  %-11s > %-11s  %9s  %s%s\n", print_bold(), "TIME", "PID", "COMM",
	       "LOCAL", "REMOTE", "OLD", "NEW", "DURATION", "HOW", print_plain());
}

static void print_line(const struct event *e, uint64_t realtime_ns)
{
	char local[PRINT_ENDPOINT_LEN], remote[PRINT_ENDPOINT_LEN], time[PRINT_TIME_LEN], took[PRINT_NUMBER_LEN];
	char pid[16] = "-", comm[COMM_LEN] = "-";

	if (e->owner.pid) {
		snprintf(pid, sizeof(pid), "%u", e->owner.pid);
		memcpy(comm, e->owner.comm, sizeof(comm));
		print_clean(comm);
	}
	print_time(time, realtime_ns);
	printf("%.15s  %-7s %-15s  %-27s  %-27s  %-11s > %s%-11s%s  %9s  %s\n", time + sizeof("2026-01-01T") - 1, pid,
	       comm, print_endpoint(local, &e->flow.laddr, e->flow.lport),
	       print_endpoint(remote, &e->flow.raddr, e->flow.rport), print_state(e->old), e->ending ? print_dim() : "",
	       print_state(e->new), print_plain(), print_duration(took, e->duration_ns),
	       e->ending ? print_ending(e->ending) : "");
}

static void on_event(void *context, const struct event *event)
{
	struct stream *stream = context;
	struct event e = *event;

	if (stream->options.count && stream->printed == stream->options.count)
		return;
	owners__resolve(stream->owners, &e);
	if (!filter__matches(&stream->options.filter, &e))
		return;
	stream->printed++;
	if (stream->options.json)
		print_json(&e, events__realtime(stream->events, e.time_ns));
	else
		print_line(&e, events__realtime(stream->events, e.time_ns));
}

static void on_lost(void *context, unsigned loss, uint64_t lost)
{
	const struct stream *stream = context;
	struct json json;

	if (!stream->options.json) {
		printf("%slost %lu (%s)%s\n", print_red(), lost, print_loss(loss), print_plain());
		return;
	}
	json_begin(&json, stdout);
	json_number(&json, "lost", lost);
	json_string(&json, "stage", print_loss(loss));
	json_end(&json);
}

static int follow(struct stream *stream)
{
	time_t end = time(NULL) + stream->options.seconds;
	bool done = false;

	while (!done) {
		done = stopped; /* what stands in the ring by then is still printed */
		if (events__poll(stream->events, POLL_MS) < 0 || fflush(stdout))
			return stopped || errno == EPIPE ? 0 : 1;
		if (stream->options.count && stream->printed >= stream->options.count)
			break;
		if (stream->options.seconds && time(NULL) >= end)
			break;
	}
	return 0;
}

int cmd_states(int argc, char **argv)
{
	struct config config = {.stream = STREAM_EVENTS, .cpus = libbpf_num_possible_cpus()};
	struct stream stream = {.options.filter = FILTER_ALL};
	struct events_sink sink = {.event = on_event, .lost = on_lost, .context = &stream};
	struct guard *guard = NULL;
	int ret = options_parse(&table, argc, argv, &stream.options);

	if (ret < 0)
		return -ret;
	ret = 1;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, on_signal);
	print_colour_init(stdout);
	filter__set(&config.filter, &stream.options.filter);
	config.filter.state = stream.options.state;
	if (guard__load(&guard, &config, GUARD_TRACKER | GUARD_OWNERS, NULL, RING_BYTES) ||
	    guard__attach_tracker(guard) || owners__open(&stream.owners, guard) ||
	    events__open(&stream.events, guard__maps(guard), &sink))
		goto cleanup;
	if (!stream.options.json)
		print_header();
	fflush(stdout);
	log_info("following every TCP socket until stopped");
	ret = follow(&stream);
cleanup:
	events__close(stream.events);
	owners__close(stream.owners);
	guard__free(guard);
	return ret;
}
