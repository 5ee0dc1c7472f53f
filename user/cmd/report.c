// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden report: an attack as text, for a provider or the police, from the files that `run` writes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "config/values.h"
#include "output/event_file.h"
#include "output/syn_pcap.h"
#include "segments/syn_facts.h"
#include "system/clock.h"
#include "system/state_folder.h"
#include "text/address.h"
#include "text/log.h"
#include "text/print.h"

#define PREFIXES_SHOWN 10
#define LOOKS_SHOWN    3
#define MS_PER_S       1000

struct report_options {
	uint64_t since_ns; /* CLOCK_REALTIME; 0: one attack alone */
	const char *pcap;
};

static const struct option_row rows[] = {
	{"since", 's', OPTION_WHEN, 0, 0, "WHEN", offsetof(struct report_options, since_ns),
	 .help = "all attacks that went on after: 2h (ago), \"2026-01-02 03:04\", 2026-01-02T03:04:05Z"},
	{"pcap", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct report_options, pcap),
	 .help = "also write the attack's sample, its first 100 SYNs, as a capture file"},
};

static const struct option_table table = {
	.command = "report",
	.arguments = "[N]",
	.summary = "Prints a report of an attack, for a provider or the police: the last one, or event N of synwarden "
		   "events.",
	.examples = "  synwarden report\n"
		    "  synwarden report 12 --pcap attack.pcap\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.max_arguments = 1,
};

struct report {
	struct report_options options;
	uint32_t id; /* 0: not asked for */
	struct state_folder folder;
	unsigned printed;
	int ret;
	struct syn_pcap pcap;
	struct syn_facts facts;
};

static void print_moment(const char *name, uint64_t time_ns, const char *behind)
{
	char time[PRINT_TIME_LEN];

	printf("%-14s %.*sZ (UTC)%s\n", name, PRINT_TIME_WHOLE, print_time(time, time_ns), behind);
}

static void print_number(const char *name, uint64_t number, const char *unit)
{
	char text[PRINT_NUMBER_LEN];

	printf("%-14s %s%s\n", name, print_count(text, number), unit);
}

static void print_times(const struct log_event *event)
{
	char duration[PRINT_NUMBER_LEN];

	print_moment("Began", event->time_ns, "");
	if (event->flags & EVENT_ONGOING)
		print_moment("Last seen", event_log__end_ns(event), "; it may go on");
	else
		print_moment("Ended", event_log__end_ns(event),
			     event->flags & EVENT_INTERRUPTED ? "; or later: the recording ended then" : "");
	printf("%-14s %s\n", "Duration", print_duration(duration, event->duration_ms * NS_PER_MS));
}

static void print_figures(const struct log_event *event)
{
	print_number("Peak", event->peak_syn_rate, " SYN/s, in its busiest second");
	print_number("Average", event->average_syn_rate, " SYN/s");
	print_number("SYNs", event->syns, "");
	print_number("  challenged", event->challenged, event->flags & EVENT_DRY_RUN ? " (dry run: passed)" : "");
	print_number("  dropped", event->dropped, event->flags & EVENT_DRY_RUN ? " (dry run: passed)" : "");
	print_number("  passed", event->passed, "");
	print_number("Answered", event->answered, " challenges: the others were to sources that did not answer");
	print_number("Handshakes", event->completed, " completed, by clients that were served meanwhile");
	if (event->distinct_sources)
		print_number("Sources", event->distinct_sources, " distinct addresses, an estimate");
	else
		printf("%-14s unknown: they were not counted\n", "Sources");
}

/* They go on while the port is armed, and the last one is only as long as that was. */
static void print_steps(const struct log_event *event)
{
	uint64_t step_ms = event->step_seconds * MS_PER_S, began_ms = 0;
	uint64_t end_ms = event->released_ms ?: event->duration_ms;
	char time[PRINT_TIME_LEN], syns[PRINT_NUMBER_LEN], rate[PRINT_NUMBER_LEN];
	size_t count = event_log__steps(event);

	printf("\nSYNs by %" PRIu64 " s, UTC%s:\n", event->step_seconds,
	       event->released_ms ? ", until the port was released" : "");
	for (size_t i = 0; i < count; i++, began_ms += step_ms) {
		uint64_t left_ms = end_ms > began_ms ? end_ms - began_ms : 0,
			 ms = left_ms < step_ms ? left_ms : step_ms;

		if (ms < MS_PER_S)
			ms = MS_PER_S;
		printf("  %.*sZ  %15s  %12s/s\n", PRINT_TIME_WHOLE,
		       print_time(time, event->time_ns + began_ms * NS_PER_MS), print_count(syns, event->steps[i]),
		       print_count(rate, event->steps[i] * MS_PER_S / ms));
	}
}

static void print_prefixes(const struct syn_facts *facts)
{
	char text[PRINT_PREFIX_LEN];

	printf("%zu distinct sources in %zu SYNs. ", facts->sources, facts->syns);
	if (facts->spread) {
		printf("They are spread evenly: no network, however large, has a quarter of them.\n"
		       "Such sources are most likely spoofed, and blocking them would not help.\n");
		return;
	}
	printf("The networks with most of them:\n");
	for (size_t i = 0; i < facts->prefix_count && i < PREFIXES_SHOWN; i++)
		printf("  %-24s %3zu of %zu\n", print_prefix(text, &facts->prefixes[i].prefix),
		       facts->prefixes[i].count, facts->syns);
	if (facts->prefix_count > PREFIXES_SHOWN)
		printf("  and %zu more\n", facts->prefix_count - PREFIXES_SHOWN);
}

static void print_looks(const struct syn_facts *facts)
{
	printf("What they look like:\n");
	for (size_t i = 0; i < facts->looks_count && i < LOOKS_SHOWN; i++)
		printf("  %3zu of %zu: %s\n", facts->looks[i].count, facts->syns, facts->looks[i].text);
	if (facts->looks_count > LOOKS_SHOWN)
		printf("  and %zu other kinds\n", facts->looks_count - LOOKS_SHOWN);
}

static void print_sample(const struct syn_facts *facts, const struct log_event *event, const char *path)
{
	char target[PRINT_ADDR_LEN] = "several addresses";

	if (!facts->syns) {
		printf("\nThe headers of its sample cannot be read (%s).\n", path);
		return;
	}
	if (!facts->several_targets)
		print_addr(target, &facts->target);
	printf("\nFrom a sample of its first %zu SYNs, to %s (%s):\n", facts->syns, target, path);
	if (event->dropped > event->syns / 2)
		printf("Most SYNs were dropped: those over the source limit or by the lists are not in the sample.\n");
	print_prefixes(facts);
	print_looks(facts);
}

/* Whether the attack has a sample; numbers begin anew where a log was damaged, so its time must fit, too. */
static bool read_sample(struct report *report, const struct log_event *event, char path[STATE_PATH_LEN])
{
	char kind[SYN_PCAP_KIND_LEN];

	state_folder__path(path, &report->folder, syn_pcap__kind(kind, event->id));
	if (syn_pcap__read(&report->pcap, path) || !report->pcap.count)
		return false;
	return report->pcap.syns[0].time_ns + SYN_PCAP_EARLY_NS >= event->time_ns &&
	       report->pcap.syns[0].time_ns <= event_log__end_ns(event) + SYN_PCAP_EARLY_NS;
}

static int write_pcap(const struct report *report, const struct log_event *event, bool has_sample)
{
	FILE *out;
	int ret;

	if (!has_sample) {
		log_error("report: no sample of event %" PRIu64 " is kept: nothing is written to %s", event->id,
			  report->options.pcap);
		return 1;
	}
	out = fopen(report->options.pcap, "we");
	ret = out ? syn_pcap__write(out, &report->pcap) : -1;
	if ((out && fclose(out)) || ret) {
		log_error("report: cannot write %s: %s", report->options.pcap, strerror(errno));
		return 1;
	}
	return 0;
}

static void print_report(struct report *report, const struct log_event *event)
{
	char host[256] = "this host", path[STATE_PATH_LEN];
	bool has_sample = read_sample(report, event, path);

	gethostname(host, sizeof(host) - 1);
	printf("%sTCP SYN flood against port %" PRIu64 " of %s (event %" PRIu64 ", recorded by synwarden)\n\n",
	       report->printed++ ? "\n\n" : "", event->port, host, event->id);
	print_times(event);
	print_figures(event);
	if (event->step_seconds)
		print_steps(event);
	if (has_sample) {
		syn_facts__gather(&report->facts, &report->pcap);
		print_sample(&report->facts, event, path);
	} else {
		printf("\nNo sample of its SYNs is kept.\n");
	}
	if (report->options.pcap)
		report->ret = write_pcap(report, event, has_sample);
}

/* The last one first. */
static bool look_at(void *context, const struct log_event *event)
{
	struct report *report = context;

	if (event->kind != EVENT_ATTACK || (report->id && event->id != report->id))
		return true;
	if (report->options.since_ns && !(event->flags & EVENT_ONGOING) &&
	    event_log__end_ns(event) < report->options.since_ns)
		return true;
	print_report(report, event);
	return report->options.since_ns != 0;
}

static int print_reports(struct report *report)
{
	struct event_log *log = event_log__make();

	report->ret = 1;
	if (log && event_file__load(log, "report") == 0) {
		report->ret = 0;
		state_folder__find(&report->folder);
		event_log__each(log, true, look_at, report);
		if (!report->printed) {
			log_error("report: there is no such attack; see: synwarden events");
			report->ret = 1;
		}
	}
	event_log__free(log);
	return report->ret;
}

int cmd_report(int argc, char **argv)
{
	struct report *report = calloc(1, sizeof(*report));
	int count = report ? options__parse(&table, argc, argv, &report->options) : -1, ret;
	const char *why;

	if (!report)
		log_error("report: out of memory");
	if (count < 0) {
		ret = -count;
	} else if (count && parse_number(argv[1], 1, UINT32_MAX, &report->id, &why)) {
		log_error("report: \"%s\" is not %s: the number of an attack, see: synwarden events", argv[1], why);
		ret = EXIT_USAGE;
	} else if (report->options.since_ns && (count || report->options.pcap)) {
		ret = -options__refuse(&table, "--since is for several attacks: it goes with neither N nor --pcap");
	} else {
		ret = print_reports(report);
	}
	free(report);
	return ret;
}
