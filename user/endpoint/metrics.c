// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot as Prometheus text (format 0.0.4) or OpenMetrics 1.0: the same series with the same values. The formats
 * differ in a counter's family, which OpenMetrics names without _total, and in the last line.
 *
 * Every series whose labels are known beforehand exists from the start, at 0, so that rate() sees its first step.
 * Labels come from tables of fixed size; an address or a client's port is never a label. Numbers are written from
 * integers: exact, and the same in every locale.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

#include "endpoint/metrics_parts.h"
#include "kernel/histogram.h"
#include "kernel/lists.h"
#include "text/names.h"

#define BUCKET_STEP 2 /* slots of a histogram that make one bucket: bounds four times apart */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const bool possible[STATE_MAX][STATE_MAX] = {
#define X(from, to, ...) [STATE_##from][STATE_##to] = true,
	TRANSITIONS(X)
#undef X
};

static const uint8_t states[] = {
#define X(number, ...) number,
	STATES(X)
#undef X
};

enum loss_kind { LOSS_OF_EVENT, LOSS_OF_TABLE };
enum ending_kind { ENDING_OF_ORDERLY, ENDING_OF_FAILURE, ENDING_OF_LISTENER };

static const enum loss_kind loss_kinds[] = {
#define X(name, kind, label, help) [LOSS_##name] = LOSS_OF_##kind,
	LOSSES(X)
#undef X
};

static const struct {
	const char *metric, *help;
} groups[] = {
#define X(metric, help) {metric, help},
	METRIC_GROUPS(X)
#undef X
};

void metrics__family(const struct exposition *to, const char *name, const char *type, const char *help)
{
	int len = strlen(name);

	if (to->format == METRICS_OPENMETRICS && !strcmp(type, "counter"))
		len -= strlen("_total");
	fprintf(to->out, "# HELP " PREFIX "%.*s %s\n# TYPE " PREFIX "%.*s %s\n", len, name, help, len, name, type);
}

void metrics__row_family(const struct exposition *to, const char *metric, const char *help, const char *suffix)
{
	size_t len = strlen(metric), total = strlen("_total");
	char text[256];

	for (size_t i = 0; i < COUNT_OF(groups); i++)
		if (!strcmp(groups[i].metric, metric))
			help = groups[i].help;
	snprintf(text, sizeof(text), "%c%s%s.", toupper(help[0]), help + 1, suffix);
	metrics__family(to, metric, len > total && !strcmp(metric + len - total, "_total") ? "counter" : "gauge", text);
}

/* A label's value that comes from outside, escaped; `size` bounds it if it is not terminated. */
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

	metrics__family(
		to, "packets_total", "counter",
		"Packets seen, by verdict and reason (see synwarden help reasons); in a dry run all of them pass.");
	for (reason = 0; reason < REASON_MAX; reason++)
		render_verdict(to->out, "packets_total", reason, snapshot->verdicts[reason].packets);
	metrics__family(to, "bytes_total", "counter", "Bytes of these packets, from the Ethernet header on.");
	for (reason = 0; reason < REASON_MAX; reason++)
		render_verdict(to->out, "bytes_total", reason, snapshot->verdicts[reason].bytes);
}

static void render_transitions(const struct exposition *to, const struct snapshot *snapshot)
{
	unsigned old, new;
	uint64_t value;
	size_t i, j;

	metrics__family(to, "tcp_state_transitions_total", "counter", "State transitions of TCP sockets.");
	for (i = 0; i < COUNT_OF(states); i++) {
		for (j = 0; j < COUNT_OF(states); j++) {
			old = states[i];
			new = states[j];
			value = snapshot->transitions[old][new];
			if (value || possible[old][new])
				fprintf(to->out,
					PREFIX "tcp_state_transitions_total{from=\"%s\",to=\"%s\"} %" PRIu64 "\n",
					print_state(old), print_state(new), value);
		}
	}
}

static void render_connections(const struct exposition *to, const struct snapshot *snapshot)
{
	size_t i;

	metrics__family(to, "tcp_connections", "gauge", "TCP sockets in the kernel's tables, at the last census.");
	for (i = 0; i < COUNT_OF(states); i++)
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

static bool is_left(unsigned state)
{
	for (unsigned to = 0; to < STATE_MAX; to++)
		if (possible[state][to])
			return true;
	return false;
}

/* A state that no transition leaves has no durations. */
static void render_durations(const struct exposition *to, const struct snapshot *snapshot)
{
	char label[32];
	size_t i;

	metrics__family(to, "tcp_state_duration_seconds", "histogram",
			"How long TCP sockets stayed in a state that they left.");
	for (i = 0; i < COUNT_OF(states); i++) {
		if (!is_left(states[i]) && !histogram__count(&snapshot->durations[states[i]]))
			continue;
		snprintf(label, sizeof(label), "state=\"%s\"", print_state(states[i]));
		render_histogram(to->out, "tcp_state_duration_seconds", label, &snapshot->durations[states[i]]);
	}
	metrics__family(
		to, "handshake_duration_seconds", "histogram",
		"Client: from the SYN to ESTABLISHED. Server: round trip of the SYN-ACK, if the kernel measured it "
		"(not with SYN cookies, nor if it was sent again).");
	render_histogram(to->out, "handshake_duration_seconds", "role=\"client\"", &snapshot->handshakes[ROLE_CLIENT]);
	render_histogram(to->out, "handshake_duration_seconds", "role=\"server\"", &snapshot->handshakes[ROLE_SERVER]);
}

static const bool is_connections[ENDING_MAX] = {
#define X(name, kind, ...) [ENDING_##name] = ENDING_OF_##kind != ENDING_OF_LISTENER,
	ENDINGS(X)
#undef X
};

static void render_endings(const struct exposition *to, const struct snapshot *snapshot)
{
	static const char *const established[] = {"true", "false"};
	unsigned ending, never;

	metrics__family(to, "connections_ended_total", "counter",
			"Connections and connect() calls that ended, by reason (see synwarden help endings).");
	for (never = 0; never < 2; never++)
		for (ending = ENDING_NONE + 1; ending < ENDING_MAX; ending++)
			if (is_connections[ending])
				fprintf(to->out,
					PREFIX "connections_ended_total{reason=\"%s\",established=\"%s\"} %" PRIu64
					       "\n",
					print_ending(ending), established[never], snapshot->endings[never][ending]);
}

static const struct {
	const char *metric, *labels, *help;
} tallies[] = {
#define X(name, json, metric, labels, what, kind, help) {metric, labels, help},
	TALLIES(X)
#undef X
};

static void render_tallies(const struct exposition *to, const struct snapshot *snapshot)
{
	unsigned i;

	for (i = 0; i < TALLY_MAX; i++) {
		if (i == 0 || strcmp(tallies[i].metric, tallies[i - 1].metric))
			metrics__row_family(to, tallies[i].metric, tallies[i].help, "");
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

	metrics__family(to, "interfaces", "gauge", "Interfaces given to run: filtered, or gone.");
	fprintf(to->out, PREFIX "interfaces{state=\"filtered\"} %u\n" PREFIX "interfaces{state=\"gone\"} %u\n",
		filtered, meta->interfaces - filtered);
}

static void render_build(const struct exposition *to, const struct meta *meta)
{
	struct utsname kernel = {.release = "unknown"};

	uname(&kernel);
	metrics__family(to, "build_info", "gauge",
			"Always 1. xdp_mode: native, generic, mixed, or none while all interfaces are gone.");
	fputs(PREFIX "build_info{version=\"", to->out);
	print_label(to->out, meta->version, sizeof(meta->version));
	fputs("\",kernel=\"", to->out);
	print_label(to->out, kernel.release, sizeof(kernel.release));
	fprintf(to->out, "\",xdp_mode=\"%s\"} 1\n", xdp_mode(meta));
	metrics__family(to, "start_time_seconds", "gauge",
			"Unix time at which counting began; a run that takes over goes on counting.");
	fprintf(to->out, PREFIX "start_time_seconds %" PRIu64 ".%09" PRIu64 "\n", (uint64_t)meta->since_ns / 1000000000,
		(uint64_t)meta->since_ns % 1000000000);
	metrics__family(to, "list_files_waiting", "gauge",
			"List files of the configuration that are not taken as they are: the list is as it last was.");
	for (enum list list = 0; list < LIST_MAX; list++)
		fprintf(to->out, PREFIX "list_files_waiting{list=\"%s\"} %u\n", lists__name(list), meta->waiting[list]);
	metrics__family(to, "dry_run", "gauge",
			"1: packets are judged and counted, and all pass; 0: they are filtered.");
	fprintf(to->out, PREFIX "dry_run %d\n", !!meta->dry_run);
}

static void render_lists(const struct exposition *to, const struct snapshot *s)
{
	static const char *const sets[LIST_SETS] = {"", "fleet_"};

	metrics__family(
		to, "list_entries", "gauge",
		"Entries of this host's allow and block list, and of the fleet's; expired ones for some seconds.");
	for (int set = 0; set < LIST_SETS; set++)
		for (enum list list = 0; list < LIST_MAX; list++)
			fprintf(to->out, PREFIX "list_entries{list=\"%s%s\"} %" PRIu64 "\n", sets[set],
				lists__name(list), list_set__entries(&s->lists[set], list));
	metrics__family(
		to, "list_capacity", "gauge",
		"Entries that a list may have: --max-entries, and max-entries of [sync]; 0: there is no such list.");
	for (int set = 0; set < LIST_SETS; set++)
		for (enum list list = 0; list < LIST_MAX; list++)
			fprintf(to->out, PREFIX "list_capacity{list=\"%s%s\"} %u\n", sets[set], lists__name(list),
				s->lists[set].capacity);
}

void metrics__render(FILE *out, const struct snapshot *snapshot, enum metrics_format format)
{
	const struct exposition exposition = {out, format}, *to = &exposition;

	render_build(to, &snapshot->meta);
	render_interfaces(to, &snapshot->meta);
	render_lists(to, snapshot);
	render_verdicts(to, snapshot);
	metrics__ports(to, snapshot);
	render_connections(to, snapshot);
	render_transitions(to, snapshot);
	render_durations(to, snapshot);
	render_endings(to, snapshot);
	render_tallies(to, snapshot);
	if (snapshot->http)
		metrics__http(to, snapshot);
	metrics__family(to, LOSS_METRIC_EVENT, "counter",
			"State transitions that were missed or not reported, by stage.");
	render_losses(out, snapshot, LOSS_METRIC_EVENT, "stage", LOSS_OF_EVENT);
	metrics__family(to, LOSS_METRIC_TABLE, "counter",
			"Entries that found no room in a table: their packets pass, or are counted as other.");
	render_losses(out, snapshot, LOSS_METRIC_TABLE, "table", LOSS_OF_TABLE);
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
}
