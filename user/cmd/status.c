// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden status: one snapshot of a running filter, read from its pins.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/list_set.h"
#include "kernel/pins.h"
#include "output/event_file.h"
#include "output/event_show.h"
#include "output/sentence.h"
#include "output/summary.h"
#include "output/verdict.h"
#include "system/clock.h"
#include "system/privileges.h"
#include "system/state_folder.h"
#include "text/address.h"
#include "text/colour.h"
#include "text/print.h"
#include "text/wrap.h"

#define LAST_ATTACK_LEN (EVENT_FIGURES_LEN + 96)

struct status_options {
	bool json;
	bool check;
};

static const struct option_row rows[] = {
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct status_options, json), .help = "one JSON object"},
	{"check", 'c', OPTION_FLAG, 0, 0, NULL, offsetof(struct status_options, check),
	 .help = "one line; exits with 0: fine, 1: warning, 2: critical, 3: unknown or wrong usage"},
};

static const struct option_table table = {
	.command = "status",
	.arguments = "",
	.summary = "Shows what the filter in this network namespace has counted, and the kernel's sockets by state.",
	.examples = "  synwarden status\n"
		    "  synwarden status --json | jq '.ports[] | select(.armed)'\n"
		    "  synwarden status --check\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

/* It listens on loopback unless --listen says otherwise. */
static void print_dashboard(const struct meta *meta)
{
	char at[PRINT_ENDPOINT_LEN], host[HOST_NAME_MAX + 1] = "HOST";

	if (!meta->endpoint_port || meta->flags & META_ENDPOINT_WAITS)
		return;
	print_endpoint(at, &meta->endpoint, meta->endpoint_port);
	printf("dashboard: %s", at);
	if (print_is_loopback(&meta->endpoint)) {
		gethostname(host, sizeof(host) - 1);
		printf("; from elsewhere: ssh -L %u:%s %s", meta->endpoint_port, at, host);
	}
	putchar('\n');
}

static void print_state_of_run(const struct meta *meta, bool running)
{
	char since[PRINT_TIME_LEN], number[PRINT_NUMBER_LEN], rights[PRIVILEGES_LEN], line[PRIVILEGES_LEN + 64];
	size_t i;

	if (running)
		printf("%ssynwarden is running%s (pid %u)", print_green(), print_plain(), meta->pid);
	else
		printf("%sno run is alive%s: the filter works on, sockets are as last counted; synwarden detach "
		       "removes it",
		       print_yellow(), print_plain());
	printf(", counting since %.19sZ%s\n", print_time(since, meta->since_ns),
	       meta->dry_run ? "; dry run: everything passes" : "");
	for (i = 0; i < meta->interfaces && i < META_INTERFACES; i++)
		printf("%s%s (%s)", i ? ", " : "on ", meta->interface[i].name, summary__xdp_mode(meta, i));
	if (meta->source_limit)
		printf(", source limit %s SYN/s", print_count(number, meta->source_limit));
	if (meta->port_budget)
		printf(", port budget %s SYN/s (then %s)", print_count(number, meta->port_budget),
		       meta->challenge == CHALLENGE_AUTO ? "challenge" : "drop");
	if (meta->stray_budget)
		printf(", stray budget %s/s", print_count(number, meta->stray_budget));
	putchar('\n');
	if (!running)
		return;
	if (meta->flags & META_ENDPOINT_WAITS)
		printf("%sno HTTP endpoint%s: its address is taken or absent; see: synwarden doctor\n", print_yellow(),
		       print_plain());
	if (meta->flags & META_SYSCTLS_FIXED)
		printf("%s/proc/sys is read-only%s: SYN cookies cannot be forced while a port is armed; see: synwarden "
		       "doctor\n",
		       print_yellow(), print_plain());
	if (meta->waiting[LIST_ALLOW] + meta->waiting[LIST_BLOCK])
		printf("%slist files not taken: %u%s: the lists are as they last were; see: synwarden check-config "
		       "--strict\n",
		       print_yellow(), meta->waiting[LIST_ALLOW] + meta->waiting[LIST_BLOCK], print_plain());
	snprintf(line, sizeof(line), "rights left to it: %s%s", privileges__of(rights, meta->pid),
		 meta->flags & META_CONFINED ? "; files confined" : "");
	print_wrapped(stdout, line);
	print_dashboard(meta);
}

/* The last one that is over; as `each` of event_log__each(). */
static bool print_last_attack(void *context, const struct log_event *event)
{
	char text[LAST_ATTACK_LEN] = "", age[PRINT_NUMBER_LEN], figures[EVENT_FIGURES_LEN];
	int64_t ended_ns = event->started_ns + (int64_t)(event->duration_ms * NS_PER_MS);

	(void)context;
	if (event->kind != EVENT_ATTACK || event->flags & EVENT_ONGOING)
		return true;
	print_append(text, sizeof(text), "last attack: port %" PRIu64 ", ended %s ago: %s", event->port,
		     print_duration(age, (int64_t)clock__now() - ended_ns), event_show__figures(figures, event));
	print_wrapped(stdout, text);
	return false;
}

/* A namespace without a name keeps no events. */
static void print_past(void)
{
	struct state_folder folder;
	struct event_log *log = state_folder__find(&folder) ? event_log__make() : NULL;

	if (log && event_file__load(log, "status") == 0)
		event_log__each(log, true, print_last_attack, NULL);
	event_log__free(log);
}

static void print_attacks(const struct snapshot *snapshot)
{
	char text[SENTENCE_LEN];

	for (size_t i = 0; i < snapshot->port_count; i++) {
		const struct port_view *port = &snapshot->ports[i];

		if (!port->armed)
			continue;
		fputs(port->attack.under_attack ? print_red() : print_yellow(), stdout);
		print_wrapped(stdout, sentence__attack(text, port));
		fputs(print_plain(), stdout);
	}
	print_past();
	putchar('\n');
}

/* Ports with a listener that "auto" took, or, with 0 for `by`, that it did not. */
static void print_protected(const struct snapshot *snapshot, uint32_t by, const char *before)
{
	for (size_t i = 1; i < snapshot->port_count; i++) {
		if (!snapshot->ports[i].listening || snapshot->ports[i].protected_by != by)
			continue;
		printf("%s%u", before, snapshot->ports[i].port);
		before = ", ";
	}
}

static void print_auto(const struct snapshot *snapshot)
{
	if (!(snapshot->meta.flags & META_PROTECT_AUTO))
		return;
	printf("protect auto:");
	print_protected(snapshot, PROTECTED_AUTO, " serves ");
	print_protected(snapshot, 0,
			snapshot->meta.flags & META_PROTECT_UNSURE ? " none served, as any may be translated: "
								   : " may be translated ");
	putchar('\n');
}

/* The exit status where nothing can be said. A monitor reads stdout alone. */
static int fail(bool check, const char *why)
{
	if (check)
		printf("UNKNOWN: %s\n", why);
	return check ? SEVERITY_UNKNOWN : 1;
}

/* "lists: 2 allowed, 1,200 blocked of 65,536 each; of the fleet: ..., kernel memory about 5.10 MiB" */
static void print_lists(const struct snapshot *snapshot)
{
	char text[256] = "lists:", allowed[PRINT_NUMBER_LEN], blocked[PRINT_NUMBER_LEN], each[PRINT_NUMBER_LEN];
	uint64_t bytes = 0;

	for (int set = 0; set < LIST_SETS; set++) {
		const struct list_control *lists = &snapshot->lists[set];

		if (!lists->capacity)
			continue;
		print_append(text, sizeof(text), "%s %s allowed, %s blocked, of %s each",
			     set == LIST_SET_FLEET ? "; the fleet's:" : "",
			     print_count(allowed, list_set__entries(lists, LIST_ALLOW)),
			     print_count(blocked, list_set__entries(lists, LIST_BLOCK)),
			     print_count(each, lists->capacity));
		bytes += list_set__bytes(lists);
	}
	print_append(text, sizeof(text), "; about %s of kernel memory", print_bytes(each, bytes));
	print_wrapped(stdout, text);
}

static void print_all(const struct protection *protection, bool running)
{
	const struct snapshot *snapshot = protection->snapshot;

	verdict__print(stdout, protection);
	print_state_of_run(&snapshot->meta, running);
	if (running)
		print_auto(snapshot);
	print_lists(snapshot);
	print_attacks(snapshot);
	summary__print(stdout, snapshot);
}

/* Returns the exit status. */
static int show(const struct snapshot *snapshot, bool running, const struct status_options *options)
{
	struct protection protection;

	protection__judge(&protection, snapshot, running);
	print_colour_init(stdout);
	if (options->json)
		summary__json(stdout, snapshot, running, SUMMARY_ALL_PORTS);
	else if (options->check)
		verdict__print_line(stdout, &protection);
	else
		print_all(&protection, running);
	return options->check ? protection__severity(protection.host) : 0;
}

/* Whether the exit status is for a monitor, also where the options are wrong. */
static bool asks_for_check(int argc, char **argv)
{
	bool asks = false;

	for (int i = 1; i < argc; i++)
		asks |= !strcmp(argv[i], "--check") || !strcmp(argv[i], "-c");
	return asks;
}

int cmd_status(int argc, char **argv)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	bool check = asks_for_check(argc, argv);
	struct status_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	int ret = options__parse(&table, argc, argv, &options);

	check |= options.check; /* of "-jc" */
	if (ret < 0 || !snapshot) {
		free(snapshot);
		return check ? fail(true, "the options are wrong; see: synwarden help status") : ret < 0 ? -ret : 1;
	}
	if (pins__attach(&pins, &maps) || snapshot__read(snapshot, &maps))
		ret = fail(check, "no filter can be read here: none runs, no rights, or another version; see: sudo "
				  "synwarden doctor");
	else
		ret = show(snapshot, pins__is_locked(&pins), &options);
	pins__close_maps(&maps);
	pins__close(&pins);
	free(snapshot);
	return ret;
}
