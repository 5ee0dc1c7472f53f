// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden events: what has happened, from the file that `run` writes. It needs no `run`.
 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "output/event_file.h"
#include "output/event_show.h"
#include "text/log.h"

struct events_options {
	uint64_t since_ns; /* CLOCK_REALTIME */
	bool json;
};

static const struct option_row rows[] = {
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct events_options, json), .help = "one JSON object a line"},
	{"since", 's', OPTION_WHEN, 0, 0, "WHEN", offsetof(struct events_options, since_ns),
	 .help = "only what went on after: 2h (ago), \"2026-01-02 03:04\", 2026-01-02T03:04:05Z"},
};

static const struct option_table table = {
	.command = "events",
	.arguments = "",
	.summary =
		"Shows what has happened in the last week: attacks with their figures, interfaces, reloads, restarts, "
		"losses.",
	.examples = "  synwarden events --since 2h\n"
		    "  synwarden events --json | jq 'select(.port == 443)'\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static bool print_event(void *context, const struct log_event *event)
{
	const struct events_options *options = context;

	if (!(event->flags & EVENT_ONGOING) && event_log__end_ns(event) < options->since_ns)
		return true;
	if (options->json)
		event_show__json(stdout, event);
	else
		event_show__text(stdout, event);
	return true;
}

int cmd_events(int argc, char **argv)
{
	struct events_options options = {};
	struct event_log *log;
	int ret = options__parse(&table, argc, argv, &options);

	if (ret < 0)
		return -ret;
	log = event_log__make();
	ret = 1;
	if (log && event_file__load(log, "events") == 0) {
		event_log__each(log, false, print_event, &options);
		ret = 0;
	}
	event_log__free(log);
	return ret;
}
