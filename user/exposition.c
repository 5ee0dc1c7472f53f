// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot as Prometheus text (format 0.0.4) or OpenMetrics 1.0: the same series with the same values. They differ in
 * a counter's family, which OpenMetrics names without _total, and in the last line.
 *
 * Every series that can be known beforehand is there from the start, at 0, so that rate() sees its first step. Labels
 * come from tables of fixed size; an address or a client's port is never one. Numbers are written from integers alone:
 * exact, and the same in every locale.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "metrics.h"
#include "print.h"

#define PREFIX	    "synwarden_"
#define BUCKET_STEP 2 /* slots of a histogram that make one bucket: bounds four times apart */

#define TO(name) (1U << STATE_##name)

/*
 * What a socket can go through on Linux: RFC 9293 figure 5, without what it leaves to sockets that the tracker never
 * sees (a request in SYN-RECEIVED, the end of TIME-WAIT), and with the ways out that the figure omits (resets,
 * time-outs, a FIN in the SYN of TCP Fast Open). Whatever else is counted is exported too.
 */
static const uint32_t possible[STATE_MAX] = {
	[STATE_CLOSE] = TO(SYN_SENT) | TO(LISTEN),
	[STATE_LISTEN] = TO(SYN_RECV) | TO(CLOSE),
	[STATE_SYN_SENT] = TO(ESTABLISHED) | TO(SYN_RECV) | TO(CLOSE),
	[STATE_SYN_RECV] = TO(ESTABLISHED) | TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
	[STATE_ESTABLISHED] = TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
	[STATE_FIN_WAIT1] = TO(FIN_WAIT2) | TO(CLOSING) | TO(CLOSE),
	[STATE_FIN_WAIT2] = TO(TIME_WAIT) | TO(CLOSE),
	[STATE_CLOSING] = TO(TIME_WAIT) | TO(CLOSE),
	[STATE_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSE),
	[STATE_LAST_ACK] = TO(CLOSE),
};

static const uint8_t states[] = {
#define X(number, name) number,
	STATES(X)
#undef X
};

#define STATE_COUNT (sizeof(states) / sizeof(states[0]))

enum loss_kind { LOSS_OF_EVENT, LOSS_OF_TABLE };

static const enum loss_kind loss_kinds[] = {
#define X(name, kind, label, help) [LOSS_##name] = LOSS_OF_##kind,
	LOSSES(X)
#undef X
};

struct exposition {
	FILE *out;
	enum metrics_format format;
};

static void print_family(const struct exposition *to, const char *name, const char *type, const char *help)
{
	int len = strlen(name);

	if (to->format == METRICS_OPENMETRICS && !strcmp(type, "counter"))
		len -= strlen("_total");
	fprintf(to->out, "# HELP " PREFIX "%.*s %s\n# TYPE " PREFIX "%.*s %s\n", len, name, help, len, name, type);
}

/* A label's value that comes from outside; `size` bounds it where its end is missing. */
static void print_label(FILE *out, const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++) {
		if (text[i] == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (text[i] == '\\' || text[i] == '"')
			fputc('\\', out);
		fputc(text[i], out);
	}
}

static void render_verdict(FILE *out, const char *name, unsigned reason, uint64_t value)
{
	fprintf(out, PREFIX "%s{verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n", name,
		print_verdict(print_reason_verdict(reason)), print_reason(reason), value);
}

static void render_verdicts(const struct exposition *to, const struct snapshot *snapshot)
{
	unsigned reason;

	print_family(to, "packets_total", "counter",
		     "Packets seen, by verdict and reason; in a dry run those to be dropped passed as well.");
	for (reason = 0; reason < REASON_MAX; reason++)
		render_verdict(to->out, "packets_total", reason, snapshot->verdicts[reason].packets);
	print_family(to, "bytes_total", "counter", "Bytes of these packets, from the Ethernet header on.");
	for (reason = 0; reason < REASON_MAX; reason++)
		render_verdict(to->out, "bytes_total", reason, snapshot->verdicts[reason].bytes);
}

/* One series a port: the field at `offset` of its view. `more` is a further label, with its comma. */
static void render_ports(FILE *out, const struct snapshot *snapshot, const char *name, const char *more, size_t offset)
{
	char port[8] = "other";
	uint64_t value;
	size_t i;

	for (i = 0; i < snapshot->port_count; i++) {
		if (i)
			snprintf(port, sizeof(port), "%u", snapshot->ports[i].port);
		memcpy(&value, (const char *)&snapshot->ports[i] + offset, sizeof(value));
		fprintf(out, PREFIX "%s{port=\"%s\"%s} %" PRIu64 "\n", name, port, more, value);
	}
}

static void render_handshakes(const struct exposition *to, const struct snapshot *snapshot)
{
	print_family(to, "syns_total", "counter", "SYNs that reached the interfaces, by listening port.");
	render_ports(to->out, snapshot, "syns_total", "", offsetof(struct port_view, syns));
	print_family(to, "syns_passed_total", "counter", "SYNs that the filter let through, by listening port.");
	render_ports(to->out, snapshot, "syns_passed_total", "", offsetof(struct port_view, passed));
	print_family(to, "handshakes_total", "counter", "Incoming handshakes, by listening port and outcome.");
	render_ports(to->out, snapshot, "handshakes_total", ",outcome=\"completed\"",
		     offsetof(struct port_view, completed));
	render_ports(to->out, snapshot, "handshakes_total", ",outcome=\"aborted\"",
		     offsetof(struct port_view, aborted));
	render_ports(to->out, snapshot, "handshakes_total", ",outcome=\"listen_drop\"",
		     offsetof(struct port_view, listen_drops));
}

static void render_queues(const struct exposition *to, const struct snapshot *snapshot)
{
	print_family(to, "half_open_connections", "gauge",
		     "Handshakes that wait for the last ACK, by listening port, at the last census.");
	render_ports(to->out, snapshot, "half_open_connections", "", offsetof(struct port_view, half_open));
	print_family(to, "accept_queue_connections", "gauge",
		     "Connections that wait for accept(), by listening port, at the last census.");
	render_ports(to->out, snapshot, "accept_queue_connections", "", offsetof(struct port_view, accept_queue));
	print_family(to, "accept_queue_limit", "gauge", "The most that may wait for accept(): the backlog.");
	render_ports(to->out, snapshot, "accept_queue_limit", "", offsetof(struct port_view, accept_limit));
	print_family(to, "accept_queues_full", "gauge",
		     "Listeners whose accept queue is full, by listening port, at the last census.");
	render_ports(to->out, snapshot, "accept_queues_full", "", offsetof(struct port_view, accept_full));
}

static void render_attacks(const struct exposition *to, const struct snapshot *snapshot)
{
	uint64_t sources = 0;
	size_t i;

	for (i = 0; i < snapshot->port_count; i++)
		if (snapshot->ports[i].attack.sources > sources)
			sources = snapshot->ports[i].attack.sources;
	print_family(to, "armed", "gauge", "1 while a listening port is over its budget, and ten seconds longer.");
	render_ports(to->out, snapshot, "armed", "", offsetof(struct port_view, armed));
	print_family(to, "under_attack", "gauge",
		     "1 while a listening port is armed and fewer than half of its handshakes complete.");
	render_ports(to->out, snapshot, "under_attack", "", offsetof(struct port_view, attack.under_attack));
	print_family(to, "distinct_sources", "gauge",
		     "About how many sources sent SYNs in the last 10 s to the armed port that has most of them.");
	fprintf(to->out, PREFIX "distinct_sources %" PRIu64 "\n", sources);
	print_family(to, "challenges_total", "counter", "SYNs answered with a SYN cookie, by listening port.");
	render_ports(to->out, snapshot, "challenges_total", "", offsetof(struct port_view, challenged));
	print_family(to, "challenges_answered_total", "counter", "Cookies that came back valid, by listening port.");
	render_ports(to->out, snapshot, "challenges_answered_total", "", offsetof(struct port_view, answered));
}

static void render_transitions(const struct exposition *to, const struct snapshot *snapshot)
{
	unsigned old, new;
	uint64_t value;
	size_t i, j;

	print_family(to, "tcp_state_transitions_total", "counter", "State transitions of TCP sockets.");
	for (i = 0; i < STATE_COUNT; i++) {
		for (j = 0; j < STATE_COUNT; j++) {
			old = states[i];
			new = states[j];
			value = snapshot->transitions[old][new];
			if (value || possible[old] & 1U << new)
				fprintf(to->out,
					PREFIX "tcp_state_transitions_total{from=\"%s\",to=\"%s\"} %" PRIu64 "\n",
					print_state(old), print_state(new), value);
		}
	}
}

static void render_connections(const struct exposition *to, const struct snapshot *snapshot)
{
	size_t i;

	print_family(to, "tcp_connections", "gauge", "TCP sockets in the kernel's tables, at the last census.");
	for (i = 0; i < STATE_COUNT; i++)
		fprintf(to->out, PREFIX "tcp_connections{state=\"%s\"} %" PRIu64 "\n", print_state(states[i]),
			(uint64_t)snapshot->census.states[states[i]]);
}

/* `label` with its value, as in state="LISTEN". Slot n ends at 2^(n+1) us; the last one has no end. */
static void render_histogram(FILE *out, const char *name, const char *label, const struct histogram *histogram)
{
	uint64_t count = 0, end_us;
	int slot;

	for (slot = 0; slot < HIST_SLOTS; slot++) {
		count += histogram->slots[slot];
		if (slot % BUCKET_STEP != BUCKET_STEP - 1 || slot == HIST_SLOTS - 1)
			continue;
		end_us = 2ULL << slot;
		fprintf(out, PREFIX "%s_bucket{%s,le=\"%" PRIu64 ".%06" PRIu64 "\"} %" PRIu64 "\n", name, label,
			end_us / 1000000, end_us % 1000000, count);
	}
	fprintf(out, PREFIX "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, label, count);
	fprintf(out, PREFIX "%s_sum{%s} %" PRIu64 ".%09" PRIu64 "\n", name, label,
		(uint64_t)histogram->sum_ns / 1000000000, (uint64_t)histogram->sum_ns % 1000000000);
	fprintf(out, PREFIX "%s_count{%s} %" PRIu64 "\n", name, label, count);
}

/* A state that no transition leaves has no durations to tell. */
static void render_durations(const struct exposition *to, const struct snapshot *snapshot)
{
	char label[32];
	size_t i;

	print_family(to, "tcp_state_duration_seconds", "histogram",
		     "How long TCP sockets stayed in a state they left.");
	for (i = 0; i < STATE_COUNT; i++) {
		if (!possible[states[i]] && !histogram__count(&snapshot->durations[states[i]]))
			continue;
		snprintf(label, sizeof(label), "state=\"%s\"", print_state(states[i]));
		render_histogram(to->out, "tcp_state_duration_seconds", label, &snapshot->durations[states[i]]);
	}
	print_family(to, "handshake_duration_seconds", "histogram",
		     "Handshakes: of a client from its SYN on, of a server the round trip of its SYN-ACK.");
	render_histogram(to->out, "handshake_duration_seconds", "role=\"client\"", &snapshot->handshakes[ROLE_CLIENT]);
	render_histogram(to->out, "handshake_duration_seconds", "role=\"server\"", &snapshot->handshakes[ROLE_SERVER]);
}

static void render_endings(const struct exposition *to, const struct snapshot *snapshot)
{
	static const char *const established[] = {"true", "false"};
	unsigned ending, never;

	print_family(to, "connections_ended_total", "counter",
		     "Connections and connects that ended, by how, and by whether they ever were established.");
	for (never = 0; never < 2; never++)
		for (ending = ENDING_NONE + 1; ending < ENDING_MAX; ending++)
			if (ending != ENDING_UNLISTENED)
				fprintf(to->out,
					PREFIX "connections_ended_total{reason=\"%s\",established=\"%s\"} %" PRIu64
					       "\n",
					print_ending(ending), established[never], snapshot->endings[never][ending]);
}

static const struct {
	const char *metric, *labels, *help;
} tallies[] = {
#define X(name, metric, labels, help) [TALLY_##name] = {metric, labels, help},
	TALLIES(X)
#undef X
};

static void render_tallies(const struct exposition *to, const struct snapshot *snapshot)
{
	unsigned i;

	for (i = 0; i < TALLY_MAX; i++) {
		if (*tallies[i].help)
			print_family(to, tallies[i].metric, "counter", tallies[i].help);
		fprintf(to->out, *tallies[i].labels ? PREFIX "%s{%s} %" PRIu64 "\n" : PREFIX "%s%s %" PRIu64 "\n",
			tallies[i].metric, tallies[i].labels, snapshot->tallies[i]);
	}
}

static void render_losses(FILE *out, const struct snapshot *snapshot, const char *name, const char *label,
			  enum loss_kind kind)
{
	unsigned loss;

	for (loss = 0; loss < LOSS_MAX; loss++) {
		if (loss_kinds[loss] == kind)
			fprintf(out, PREFIX "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, print_loss(loss),
				snapshot->losses[loss]);
	}
}

/* How many are filtered, and how many of those in the driver. */
static unsigned count_filtered(const struct meta *meta, unsigned *native)
{
	unsigned i, filtered = 0;

	for (*native = i = 0; i < meta->interfaces && i < META_INTERFACES; i++) {
		filtered += !!meta->interface[i].ifindex;
		*native += !!meta->interface[i].native;
	}
	return filtered;
}

static const char *xdp_mode(const struct meta *meta)
{
	unsigned native, filtered = count_filtered(meta, &native);

	if (!filtered)
		return "none";
	if (native == filtered)
		return "native";
	return native ? "mixed" : "generic";
}

static void render_interfaces(const struct exposition *to, const struct meta *meta)
{
	unsigned native, filtered = count_filtered(meta, &native);

	print_family(to, "interfaces", "gauge", "Interfaces named to run: filtered, and gone until they are back.");
	fprintf(to->out, PREFIX "interfaces{state=\"filtered\"} %u\n" PREFIX "interfaces{state=\"gone\"} %u\n",
		filtered, meta->interfaces - filtered);
}

static void render_build(const struct exposition *to, const struct meta *meta)
{
	struct utsname kernel = {.release = "unknown"};

	uname(&kernel);
	print_family(to, "build_info", "gauge", "Always 1; the labels say what runs.");
	fputs(PREFIX "build_info{version=\"", to->out);
	print_label(to->out, meta->version, sizeof(meta->version));
	fputs("\",kernel=\"", to->out);
	print_label(to->out, kernel.release, sizeof(kernel.release));
	fprintf(to->out, "\",xdp_mode=\"%s\"} 1\n", xdp_mode(meta));
	print_family(to, "dry_run", "gauge", "Whether packets are only judged and counted (1), or also dropped (0).");
	fprintf(to->out, PREFIX "dry_run %d\n", !!meta->dry_run);
}

void metrics__render(FILE *out, const struct snapshot *snapshot, enum metrics_format format)
{
	const struct exposition exposition = {out, format}, *to = &exposition;

	render_build(to, &snapshot->meta);
	render_interfaces(to, &snapshot->meta);
	render_verdicts(to, snapshot);
	render_handshakes(to, snapshot);
	render_queues(to, snapshot);
	render_attacks(to, snapshot);
	render_connections(to, snapshot);
	render_transitions(to, snapshot);
	render_durations(to, snapshot);
	render_endings(to, snapshot);
	render_tallies(to, snapshot);
	print_family(to, "events_lost_total", "counter", "State transitions that were not seen or not told, by stage.");
	render_losses(out, snapshot, "events_lost_total", "stage", LOSS_OF_EVENT);
	print_family(to, "bookkeeping_failures_total", "counter",
		     "What found no room in a table; such packets pass, or are counted as other.");
	render_losses(out, snapshot, "bookkeeping_failures_total", "table", LOSS_OF_TABLE);
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
}
