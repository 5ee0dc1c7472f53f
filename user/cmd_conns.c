// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden conns: connections as a whole, from a tracker of its own: a line for each one that ends, or a list of those
 * that live.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "filter.h"
#include "log.h"
#include "netns.h"
#include "options.h"
#include "print.h"
#include "stream.h"

#define RING_BYTES (16 << 20) /* about 100,000 endings */
#define NO_RING	   4096	      /* the least that there can be */

#define OUT_BYTES (64 << 10)

struct conns_options {
	struct filter_options filter;
	uint32_t state;
	bool open;
	bool json;
	uint32_t seconds;
	uint32_t count;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct conns_options, filter),
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct conns_options, state),
	 "that were in STATE at the end; with --open: are in STATE"},
	{"open", 'o', OPTION_FLAG, 0, 0, NULL, offsetof(struct conns_options, open),
	 "list what lives now, in every state, and end"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct conns_options, json), "one JSON object a line"},
	{"duration", 'd', OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(struct conns_options, seconds),
	 "stop by itself; not with --open"},
	{"count", 'c', OPTION_NUMBER, 1, 4294967295, "N", offsetof(struct conns_options, count),
	 "stop after N connections"},
};

static const struct option_table table = {
	.command = "conns",
	.arguments = "",
	.summary = "Prints a line for each TCP connection that ends on this machine, in all network namespaces, live.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* The stream comes first: it is what the ring's reader hands on. */
struct conns {
	struct stream stream;
	struct conns_options options;
};

static const char *const roles[] = {[ROLE_UNKNOWN] = "unknown", [ROLE_CLIENT] = "client", [ROLE_SERVER] = "server"};
static const char *const arrows[] = {[ROLE_UNKNOWN] = "--", [ROLE_CLIENT] = "->", [ROLE_SERVER] = "<-"};
static const char *const closers[] = {[CLOSER_LOCAL] = "local", [CLOSER_REMOTE] = "remote"};

static bool has_counts(const struct life *life)
{
	return life->sent != BYTES_UNKNOWN;
}

/* A SYN-ACK's are known though nothing else is. */
static bool has_retransmits(const struct life *life)
{
	return has_counts(life) || life->event.new == STATE_NEW_SYN_RECV;
}

static void json_number_or_null(struct json *json, const char *name, bool known, uint64_t number)
{
	if (known)
		json_number(json, name, number);
	else
		json_null(json, name);
}

static void json_endpoints(struct json *json, const struct flow *flow)
{
	char laddr[PRINT_ADDR_LEN], raddr[PRINT_ADDR_LEN];

	json_number(json, "family", print_is_v4(&flow->laddr) ? 4 : 6);
	json_string(json, "laddr", print_addr(laddr, &flow->laddr));
	json_number(json, "lport", flow->lport);
	json_string(json, "raddr", print_addr(raddr, &flow->raddr));
	json_number(json, "rport", flow->rport);
}

static void json_owner(struct json *json, const struct owner *owner)
{
	bool known = owner->pid != 0;

	json_number_or_null(json, "pid", known, owner->pid);
	json_string(json, "comm", known ? owner->comm : NULL);
	json_number_or_null(json, "uid", known, owner->uid);
	json_string(json, "cgroup", known ? cgroups__path(owner->cgroup) : NULL);
	json_string(json, "owner", print_owner_kind(owner->kind));
}

static void print_json(const struct life *life, bool open, uint64_t realtime_ns)
{
	const struct event *e = &life->event;
	char time[PRINT_TIME_LEN];
	struct json json;

	json_begin(&json, stdout);
	json_string(&json, "ts", print_time(time, realtime_ns));
	json_number(&json, "cookie", e->cookie);
	json_endpoints(&json, &e->flow);
	json_string(&json, "role", roles[life->role]);
	json_string(&json, "state", print_state(open ? e->new : e->old));
	json_micros(&json, "duration_us", life->existed ? DURATION_UNKNOWN : life->age_ns);
	if (life->existed)
		json_micros(&json, "duration_at_least_us", life->age_ns);
	json_bool(&json, "established", life->established);
	json_micros(&json, "handshake_us", life->handshake_ns ? life->handshake_ns : DURATION_UNKNOWN);
	json_number_or_null(&json, "sent_bytes", has_counts(life), life->sent);
	json_number_or_null(&json, "received_bytes", has_counts(life), life->received);
	json_number_or_null(&json, "retransmits", has_retransmits(life), life->retransmits);
	json_string(&json, "closed_first", closers[life->closer]);
	if (open)
		json_bool(&json, "snapshot", life->existed);
	else
		json_string(&json, "reason", print_ending(e->ending));
	json_owner(&json, &e->owner);
	json_number(&json, "netns", e->flow.netns);
	json_end(&json);
}

/* What both kinds of line have in common, as text. */
struct columns {
	char pid[16], comm[COMM_LEN], local[PRINT_ENDPOINT_LEN], remote[PRINT_ENDPOINT_LEN];
	char age[PRINT_NUMBER_LEN + 1], sent[PRINT_NUMBER_LEN], received[PRINT_NUMBER_LEN], retransmits[16];
};

/* `>` is "at least". */
static void print_age(char age[PRINT_NUMBER_LEN + 1], const struct life *life)
{
	char *text = age;

	if (life->existed && life->age_ns != DURATION_UNKNOWN)
		*text++ = '>';
	print_duration(text, life->age_ns);
}

static void fill_columns(struct columns *columns, const struct life *life)
{
	const struct event *e = &life->event;

	strcpy(columns->pid, "-");
	strcpy(columns->comm, "-");
	strcpy(columns->sent, "-");
	strcpy(columns->received, "-");
	strcpy(columns->retransmits, "-");
	if (e->owner.pid) {
		snprintf(columns->pid, sizeof(columns->pid), "%u", e->owner.pid);
		memcpy(columns->comm, e->owner.comm, sizeof(columns->comm));
		print_clean(columns->comm);
	}
	print_endpoint(columns->local, &e->flow.laddr, e->flow.lport);
	print_endpoint(columns->remote, &e->flow.raddr, e->flow.rport);
	print_age(columns->age, life);
	if (has_counts(life)) {
		print_bytes(columns->sent, life->sent);
		print_bytes(columns->received, life->received);
	}
	if (has_retransmits(life))
		snprintf(columns->retransmits, sizeof(columns->retransmits), "%u", life->retransmits);
}

/* How it ended, and who closed first; or why it never came to be. */
static void print_how(const struct life *life)
{
	const char *closer = closers[life->closer], *ending = print_ending(life->event.ending);

	if (!life->established && life->event.ending == ENDING_TIMEOUT)
		printf("%snever established: no answer (%s)%s\n", print_red(), ending, print_plain());
	else if (!life->established)
		printf("%snever established: %s%s\n", print_red(), ending, print_plain());
	else if (closer)
		printf("%s, %s closed first\n", ending, closer);
	else
		printf("%s\n", ending);
}

static void print_ended(const struct life *life, uint64_t realtime_ns)
{
	char time[PRINT_TIME_LEN], handshake[PRINT_NUMBER_LEN];
	struct columns c;

	fill_columns(&c, life);
	print_time(time, realtime_ns);
	print_duration(handshake, life->handshake_ns ? life->handshake_ns : DURATION_UNKNOWN);
	printf("%.15s  %-7s %-15s  %-21s %s %-21s  %9s  %9s  %9s  %9s  %7s  ", time + sizeof("2026-01-01T") - 1, c.pid,
	       c.comm, c.local, arrows[life->role], c.remote, c.age, handshake, c.sent, c.received, c.retransmits);
	print_how(life);
}

static void print_open(const struct life *life)
{
	struct columns c;

	fill_columns(&c, life);
	printf("%-12s  %9s  %-7s %-15s  %-8s  %-21s %s %-21s  %9s  %9s  %7s%s\n", print_state(life->event.new), c.age,
	       c.pid, c.comm, print_owner_kind(life->event.owner.kind), c.local, arrows[life->role], c.remote, c.sent,
	       c.received, c.retransmits, life->existed ? "  snapshot" : "");
}

static void print_header(bool open)
{
	if (open)
		printf("%s%-12s  %9s  %-7s %-15s  %-8s  %-21s    %-21s  %9s  %9s  %7s%s\n", print_bold(), "STATE",
		       "AGE", "PID", "COMM", "OWNER", "LOCAL", "REMOTE", "SENT", "RECEIVED", "RETRANS", print_plain());
	else
		printf("%s%-15s  %-7s %-15s  %-21s    %-21s  %9s  %9s  %9s  %9s  %7s  %s%s\n", print_bold(), "TIME",
		       "PID", "COMM", "LOCAL", "REMOTE", "DURATION", "HANDSHAKE", "SENT", "RECEIVED", "RETRANS",
		       "HOW IT ENDED", print_plain());
}

static void show(struct conns *conns, const struct life *life)
{
	uint64_t realtime_ns = events__realtime(conns->stream.events, life->event.time_ns);
	bool open = conns->options.open;

	if (stream__is_full(&conns->stream) || !filter__matches(&conns->options.filter, &life->event))
		return;
	conns->stream.printed++;
	if (conns->options.json)
		print_json(life, open, realtime_ns);
	else if (open)
		print_open(life);
	else
		print_ended(life, realtime_ns);
}

/* Of a connection that was accepted, and never read from, whoever holds the listener is asked for; as at its first
 * transition. */
static void resolve_owner(struct conns *conns, struct life *life)
{
	struct event begin = life->event;

	if (life->role != ROLE_SERVER || begin.owner.pid)
		return;
	begin.old = STATE_LISTEN;
	owners__resolve(conns->stream.owners, &begin);
	life->event.owner = begin.owner;
}

static void on_end(void *context, const struct event *event)
{
	struct life life;

	memcpy(&life, event, sizeof(life)); /* STREAM_LIVES: of which the event is the beginning */
	resolve_owner(context, &life);
	show(context, &life);
}

/* A half-open connection belongs to its listener. */
static void on_socket(void *context, const struct life *life)
{
	struct conns *conns = context;
	struct life copy = *life;

	if (copy.event.new == STATE_NEW_SYN_RECV)
		owners__recall(conns->stream.owners, &copy.event);
	show(conns, &copy);
}

/* Of the namespace that we are in. */
static int list_here(void *context)
{
	struct conns *conns = context;

	return guard__sockets(conns->stream.guard, on_socket, conns);
}

static int list(struct conns *conns)
{
	if (events__poll(conns->stream.events, 0) < 0 || netns__each(conns->options.filter.netns, list_here, conns))
		return 1;
	return fflush(stdout) ? 1 : 0;
}

int cmd_conns(int argc, char **argv)
{
	struct config config = {.stream = STREAM_LIVES, .cpus = libbpf_num_possible_cpus()};
	struct conns conns = {.options.filter = FILTER_ALL};
	const struct conns_options *options = &conns.options;
	int ret = options_parse(&table, argc, argv, &conns.options);

	if (ret < 0)
		return -ret;
	if (options->open && options->seconds) {
		log_error("conns: --duration has no meaning with --open, which lists once; leave one of them out");
		return EXIT_USAGE;
	}
	ret = 1;
	conns.stream.json = options->json;
	conns.stream.seconds = options->seconds;
	conns.stream.count = options->count;
	filter__set(&config.filter, &options->filter);
	config.filter.state = options->state;
	if (stream__open(&conns.stream, &config, options->open ? GUARD_OWNERS : GUARD_TRACKER | GUARD_OWNERS,
			 options->open ? NO_RING : RING_BYTES, on_end))
		goto cleanup;
	if (options->open)
		setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	if (!options->json)
		print_header(options->open);
	if (options->open) {
		ret = list(&conns);
		goto cleanup;
	}
	fflush(stdout);
	log_info("following every TCP connection until stopped");
	ret = stream__follow(&conns.stream);
cleanup:
	stream__close(&conns.stream);
	return ret;
}
