// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live line and the summary.
 */
#include <time.h>

#include "kernel/histogram.h"
#include "output/summary.h"
#include "output/summary_ports.h"
#include "text/address.h"
#include "text/colour.h"
#include "text/names.h"
#include "text/print.h"
#include "text/wrap.h"

#define TALLY_LEN 48 /* of one of them, with its number */
#define LOSS_LEN  48 /* likewise */

const char *summary__xdp_mode(const struct meta *meta, size_t interface)
{
	if (!meta->interface[interface].ifindex)
		return "gone";
	return meta->interface[interface].native ? "native" : "generic";
}

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
	char n[6][PRINT_NUMBER_LEN], stamp[16];
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
	fprintf(out, "  %slost %s%s", losses ? print_red() : "", print_count(n[5], losses), print_plain());
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

static void print_states(FILE *out, const struct snapshot *s)
{
	char n[2][PRINT_NUMBER_LEN], p50[PRINT_NUMBER_LEN], p99[PRINT_NUMBER_LEN];

	fprintf(out, "\n%s%-12s  %12s  %12s  %9s  %9s%s\n", print_bold(), "STATE", "NOW", "ENTERED", "P50", "P99",
		print_plain());
	for (unsigned state = 1; state <= STATE_NEW_SYN_RECV; state++) {
		const struct histogram *h = &s->durations[state];

		if (!s->census.states[state] && !snapshot__entered(s, state))
			continue;
		fprintf(out, "%-12s  %12s  %12s  %9s  %9s\n", print_state(state),
			print_count(n[0], s->census.states[state]), print_count(n[1], snapshot__entered(s, state)),
			print_duration(p50, histogram__quantile(h, 0.5)),
			print_duration(p99, histogram__quantile(h, 0.99)));
	}
}

static void print_endings(FILE *out, const struct snapshot *s)
{
	char n[2][PRINT_NUMBER_LEN];
	bool any = false;

	for (unsigned i = ENDING_NONE + 1; i < ENDING_MAX; i++) {
		if (!s->endings[0][i] && !s->endings[1][i])
			continue;
		if (!any)
			fprintf(out, "\n%s%-15s  %12s  %17s%s\n", print_bold(), "HOW IT ENDED", "ESTABLISHED",
				"NEVER ESTABLISHED", print_plain());
		any = true;
		fprintf(out, "%-15s  %12s  %17s\n", print_ending(i), print_count(n[0], s->endings[0][i]),
			print_count(n[1], s->endings[1][i]));
	}
}

static void print_handshakes(FILE *out, const struct snapshot *s)
{
	static const char *const roles[] = {[ROLE_CLIENT] = "outgoing", [ROLE_SERVER] = "incoming"};
	char n[PRINT_NUMBER_LEN], p50[PRINT_NUMBER_LEN], p99[PRINT_NUMBER_LEN];

	for (unsigned role = ROLE_CLIENT; role < ROLE_MAX; role++) {
		const struct histogram *h = &s->handshakes[role];

		if (histogram__count(h))
			fprintf(out, "\n%s handshakes: %s, p50 %s, p99 %s", roles[role],
				print_count(n, histogram__count(h)), print_duration(p50, histogram__quantile(h, 0.5)),
				print_duration(p99, histogram__quantile(h, 0.99)));
	}
}

/* "segments: reset sent 3, reset received 0, SYN again 12" */
static void print_tallies(FILE *out, const struct snapshot *s)
{
	static const char *const names[] = {
#define X(name, json, metric, labels, what, kind, help) kind " " what,
		TALLIES(X)
#undef X
	};
	char text[TALLY_MAX * TALLY_LEN] = "segments:", n[PRINT_NUMBER_LEN];
	const char *after = " ";

	for (unsigned i = 0; i < TALLY_MAX; i++) {
		print_append(text, sizeof(text), "%s%s %s", after, names[i], print_count(n, s->tallies[i]));
		after = ", ";
	}
	fputc('\n', out);
	print_wrapped(out, text);
}

static void print_sources(FILE *out, const struct snapshot *s)
{
	char prefix[PRINT_PREFIX_LEN], n[PRINT_NUMBER_LEN];
	size_t i;

	if (s->source_count)
		fprintf(out, "\n%s%-43s  %15s%s\n", print_bold(), "MOST LIMITED SOURCES", "SYNS DROPPED",
			print_plain());
	for (i = 0; i < s->source_count; i++)
		fprintf(out, "%-43s  %15s\n", print_source(prefix, &s->sources[i].addr),
			print_count(n, s->sources[i].dropped));
}

static void print_losses(FILE *out, const struct snapshot *s)
{
	char text[LOSS_MAX * LOSS_LEN] = "lost:", n[PRINT_NUMBER_LEN];

	for (unsigned i = 0; i < LOSS_MAX; i++)
		print_append(text, sizeof(text), " %s %s", print_loss(i), print_count(n, s->losses[i]));
	fprintf(out, "\n%s", lost(s) ? print_red() : "");
	print_wrapped(out, text);
	fputs(print_plain(), out);
}

void summary__print(FILE *out, const struct snapshot *s)
{
	print_verdicts(out, s);
	print_states(out, s);
	summary_ports__print(out, s);
	print_endings(out, s);
	print_handshakes(out, s);
	print_tallies(out, s);
	print_sources(out, s);
	print_losses(out, s);
}
