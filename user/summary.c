// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live line and the summary.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "print.h"
#include "summary.h"

#define SUMMARY_PORTS 10

static uint64_t lost(const struct snapshot *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LOSS_MAX; i++)
		sum += s->losses[i];
	return sum;
}

/* " (blocked 12/s, source_limit 3/s)", the reasons that dropped since `before`. */
static void live_reasons(FILE *out, const struct snapshot *before, const struct snapshot *now, double seconds)
{
	char rate[PRINT_NUMBER_LEN];
	const char *comma = " (";

	for (unsigned i = 0; i < REASON_MAX; i++) {
		uint64_t packets = now->verdicts[i].packets - before->verdicts[i].packets;

		if (print_reason_verdict(i) != VERDICT_DROP || !packets)
			continue;
		fprintf(out, "%s%s %s/s", comma, print_reason(i), print_count(rate, packets / seconds + 0.5));
		comma = ", ";
	}
	if (*comma == ',')
		fputc(')', out);
}

/* "  armed 80, 443" */
static void live_armed(FILE *out, const struct snapshot *now)
{
	const char *comma = "  armed ";

	for (size_t i = 1; i < now->port_count; i++) {
		if (!now->ports[i].armed)
			continue;
		fprintf(out, "%s%s%u%s", comma, print_yellow(), now->ports[i].port, print_plain());
		comma = ", ";
	}
}

bool summary__live(FILE *out, const struct snapshot *before, const struct snapshot *now)
{
	double seconds = (now->taken_ns - before->taken_ns) / 1e9;
	uint64_t passed = snapshot__packets(now, VERDICT_PASS) - snapshot__packets(before, VERDICT_PASS);
	uint64_t dropped = snapshot__packets(now, VERDICT_DROP) - snapshot__packets(before, VERDICT_DROP);
	uint64_t challenged = snapshot__packets(now, VERDICT_TX) - snapshot__packets(before, VERDICT_TX);
	uint64_t syns = snapshot__syns(now) - snapshot__syns(before), losses = lost(now) - lost(before);
	char n[5][PRINT_NUMBER_LEN], stamp[16];
	time_t wall = time(NULL);
	struct tm tm;

	if (seconds <= 0 || (!passed && !dropped && !challenged && !losses))
		return false;
	strftime(stamp, sizeof(stamp), "%H:%M:%S", localtime_r(&wall, &tm));
	fprintf(out, "%s%s%s  SYN %s/s  passed %s/s  %sdropped %s/s", print_dim(), stamp, print_plain(),
		print_count(n[0], syns / seconds + 0.5), print_count(n[1], passed / seconds + 0.5),
		dropped ? print_red() : "", print_count(n[2], dropped / seconds + 0.5));
	live_reasons(out, before, now, seconds);
	if (challenged)
		fprintf(out, "%s  %schallenged %s/s", print_plain(), print_yellow(),
			print_count(n[4], challenged / seconds + 0.5));
	fprintf(out, "%s  established %s", print_plain(), print_count(n[3], now->census.states[STATE_ESTABLISHED]));
	fprintf(out, "  %slost %lu%s", losses ? print_red() : "", losses, print_plain());
	live_armed(out, now);
	fputc('\n', out);
	return true;
}

static const char *verdict_colour(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? print_green() : verdict == VERDICT_DROP ? print_red() : print_yellow();
}

static void print_verdicts(FILE *out, const struct snapshot *s)
{
	char packets[PRINT_NUMBER_LEN], bytes[PRINT_NUMBER_LEN];

	fprintf(out, "%s%-9s  %-14s  %15s  %11s%s\n", print_bold(), "VERDICT", "REASON", "PACKETS", "BYTES",
		print_plain());
	for (unsigned i = 0; i < REASON_MAX; i++) {
		if (!s->verdicts[i].packets)
			continue;
		fprintf(out, "%s%-9s%s  %-14s  %15s  %11s\n", verdict_colour(print_reason_verdict(i)),
			print_verdict(print_reason_verdict(i)), print_plain(), print_reason(i),
			print_count(packets, s->verdicts[i].packets), print_bytes(bytes, s->verdicts[i].bytes));
	}
}

static uint64_t entered(const struct snapshot *s, unsigned state)
{
	uint64_t n = 0;

	for (unsigned from = 0; from < STATE_MAX; from++)
		n += s->transitions[from][state];
	return n;
}

static void print_states(FILE *out, const struct snapshot *s)
{
	char n[2][PRINT_NUMBER_LEN], p50[PRINT_NUMBER_LEN], p99[PRINT_NUMBER_LEN];

	fprintf(out, "\n%s%-12s  %12s  %12s  %9s  %9s%s\n", print_bold(), "STATE", "NOW", "ENTERED", "P50", "P99",
		print_plain());
	for (unsigned state = 1; state <= STATE_NEW_SYN_RECV; state++) {
		const struct histogram *h = &s->durations[state];

		if (!s->census.states[state] && !entered(s, state))
			continue;
		fprintf(out, "%-12s  %12s  %12s  %9s  %9s\n", print_state(state),
			print_count(n[0], s->census.states[state]), print_count(n[1], entered(s, state)),
			print_duration(p50, histogram__quantile(h, 0.5)),
			print_duration(p99, histogram__quantile(h, 0.99)));
	}
}

static int by_syns(const void *a, const void *b)
{
	const struct port_view *x = a, *y = b;

	return x->syns < y->syns ? 1 : x->syns > y->syns ? -1 : 0;
}

static void print_ports(FILE *out, const struct snapshot *s)
{
	struct port_view *ports = calloc(s->port_count, sizeof(*ports));
	char n[5][PRINT_NUMBER_LEN], port[8];
	size_t i;

	if (!ports)
		return;
	memcpy(ports, s->ports, s->port_count * sizeof(*ports));
	qsort(ports, s->port_count, sizeof(*ports), by_syns);
	if (ports[0].syns)
		fprintf(out, "\n%s%-7s  %15s  %15s  %12s  %12s  %10s%s\n", print_bold(), "PORT", "SYNS", "CHALLENGED",
			"DROPPED", "HANDSHAKES", "HALF-OPEN", print_plain());
	for (i = 0; i < s->port_count && i < SUMMARY_PORTS && ports[i].syns; i++) {
		snprintf(port, sizeof(port), "%u", ports[i].port);
		fprintf(out, "%-7s  %15s  %15s  %12s  %12s  %10s\n", ports[i].port ? port : "other",
			print_count(n[0], ports[i].syns), print_count(n[1], ports[i].challenged),
			print_count(n[2], ports[i].dropped), print_count(n[3], ports[i].completed),
			print_count(n[4], ports[i].half_open));
	}
	free(ports);
}

/* What the limit counts as one source: an address, or an IPv6 /64. */
static char *source_name(char buf[PRINT_PREFIX_LEN], const struct addr *addr)
{
	struct prefix prefix = {.prefixlen = print_is_v4(addr) ? 128 : 64};

	memcpy(prefix.words, addr->words, sizeof(prefix.words));
	return print_prefix(buf, &prefix);
}

static void print_sources(FILE *out, const struct snapshot *s)
{
	char prefix[PRINT_PREFIX_LEN], n[PRINT_NUMBER_LEN];
	size_t i;

	if (s->source_count)
		fprintf(out, "\n%s%-43s  %15s%s\n", print_bold(), "MOST LIMITED SOURCES", "SYNS DROPPED",
			print_plain());
	for (i = 0; i < s->source_count; i++)
		fprintf(out, "%-43s  %15s\n", source_name(prefix, &s->sources[i].addr),
			print_count(n, s->sources[i].dropped));
}

static void print_losses(FILE *out, const struct snapshot *s)
{
	fprintf(out, "\nlost:");
	for (unsigned i = 0; i < LOSS_MAX; i++)
		fprintf(out, " %s %s%lu%s", print_loss(i), s->losses[i] ? print_red() : "", s->losses[i],
			print_plain());
	fputc('\n', out);
}

void summary__print(FILE *out, const struct snapshot *s)
{
	print_verdicts(out, s);
	print_states(out, s);
	print_ports(out, s);
	print_sources(out, s);
	print_losses(out, s);
}

static void json_verdicts(struct json *json, const struct snapshot *s)
{
	json_array(json, "verdicts");
	for (unsigned i = 0; i < REASON_MAX; i++) {
		json_item(json);
		json_string(json, "verdict", print_verdict(print_reason_verdict(i)));
		json_string(json, "reason", print_reason(i));
		json_number(json, "packets", s->verdicts[i].packets);
		json_number(json, "bytes", s->verdicts[i].bytes);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_states(struct json *json, const struct snapshot *s)
{
	json_array(json, "states");
	for (unsigned state = 1; state <= STATE_NEW_SYN_RECV; state++) {
		json_item(json);
		json_string(json, "state", print_state(state));
		json_number(json, "now", s->census.states[state]);
		json_number(json, "entered", entered(s, state));
		json_micros(json, "p50_us", histogram__quantile(&s->durations[state], 0.5));
		json_micros(json, "p99_us", histogram__quantile(&s->durations[state], 0.99));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_ports(struct json *json, const struct snapshot *s)
{
	json_array(json, "ports");
	for (size_t i = 0; i < s->port_count; i++) {
		json_item(json);
		if (s->ports[i].port)
			json_number(json, "port", s->ports[i].port);
		else
			json_string(json, "port", "other");
		json_bool(json, "listening", s->ports[i].listening);
		json_number(json, "syns", s->ports[i].syns);
		json_number(json, "challenged", s->ports[i].challenged);
		json_number(json, "answered", s->ports[i].answered);
		json_number(json, "dropped", s->ports[i].dropped);
		json_number(json, "completed", s->ports[i].completed);
		json_number(json, "half_open", s->ports[i].half_open);
		json_bool(json, "armed", s->ports[i].armed);
		json_bool(json, "under_attack", s->ports[i].attack.under_attack);
		json_number(json, "syn_rate", s->ports[i].attack.syn_rate);
		json_number(json, "distinct_sources", s->ports[i].attack.sources);
		json_number(json, "completed_permille", s->ports[i].attack.completed_permille);
		json_number(json, "challenges_unanswered", s->ports[i].attack.unanswered);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_meta(struct json *json, const struct snapshot *s, bool running)
{
	char since[PRINT_TIME_LEN], version[sizeof(s->meta.version) + 1] = "";

	memcpy(version, s->meta.version, sizeof(s->meta.version));
	json_string(json, "version", version);
	json_bool(json, "running", running);
	if (running)
		json_number(json, "pid", s->meta.pid);
	else
		json_null(json, "pid");
	json_string(json, "since", print_time(since, s->meta.since_ns));
	json_bool(json, "dry_run", s->meta.dry_run);
	json_number(json, "source_limit", s->meta.source_limit);
	json_number(json, "port_budget", s->meta.port_budget);
	json_string(json, "challenge", s->meta.challenge ? "auto" : "off");
	json_array(json, "interfaces");
	for (size_t i = 0; i < s->meta.interfaces && i < META_INTERFACES; i++) {
		json_item(json);
		json_string(json, "name", s->meta.interface[i].name);
		json_string(json, "xdp_mode", s->meta.interface[i].native ? "native" : "generic");
		json_close(json, '}');
	}
	json_close(json, ']');
}

void summary__json(FILE *out, const struct snapshot *s, bool running)
{
	char prefix[PRINT_PREFIX_LEN];
	struct json json;

	json_begin(&json, out);
	json_meta(&json, s, running);
	json_verdicts(&json, s);
	json_states(&json, s);
	json_ports(&json, s);
	json_array(&json, "limited_sources");
	for (size_t i = 0; i < s->source_count; i++) {
		json_item(&json);
		json_string(&json, "source", source_name(prefix, &s->sources[i].addr));
		json_number(&json, "dropped", s->sources[i].dropped);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_object(&json, "lost");
	for (unsigned i = 0; i < LOSS_MAX; i++)
		json_number(&json, print_loss(i), s->losses[i]);
	json_close(&json, '}');
	json_end(&json);
}
