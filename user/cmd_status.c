// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden status: one snapshot of a running filter, read from its pins.
 */
#include <stdio.h>
#include <stdlib.h>

#include "attack.h"
#include "cmd.h"
#include "options.h"
#include "pins.h"
#include "print.h"
#include "privileges.h"
#include "summary.h"

struct status_options {
	bool json;
};

static const struct option_row rows[] = {
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct status_options, json), "one JSON object"},
};

static const struct option_table table = {
	.command = "status",
	.arguments = "",
	.summary = "Shows what the filter in this network namespace has counted, and the kernel's sockets by state.",
	.rows = rows,
	.count = 1,
};

static void print_state_of_run(const struct meta *meta, bool running)
{
	char since[PRINT_TIME_LEN], rights[PRIVILEGES_LEN];
	size_t i;

	if (running)
		printf("%ssynwarden is at work%s (pid %u)", print_green(), print_plain(), meta->pid);
	else
		printf("%sno run is alive%s: the filter works on, sockets are as last counted; synwarden detach "
		       "removes it",
		       print_yellow(), print_plain());
	printf(", counting since %.19sZ%s\n", print_time(since, meta->since_ns),
	       meta->dry_run ? "; dry run: everything passes" : "");
	for (i = 0; i < meta->interfaces && i < META_INTERFACES; i++)
		printf("%s%s (%s)", i ? ", " : "on ", meta->interface[i].name, summary__xdp_mode(meta, i));
	if (meta->source_limit)
		printf(", source limit %u SYN/s", meta->source_limit);
	if (meta->port_budget)
		printf(", port budget %u SYN/s (then %s)", meta->port_budget, meta->challenge ? "challenge" : "drop");
	putchar('\n');
	if (running)
		printf("rights left to it: %s\n", privileges__of(rights, meta->pid));
}

static void print_attacks(const struct snapshot *snapshot)
{
	char text[ATTACK_SENTENCE_LEN];

	for (size_t i = 0; i < snapshot->port_count; i++) {
		const struct port_view *port = &snapshot->ports[i];

		if (port->armed)
			printf("%s%s%s\n", port->attack.under_attack ? print_red() : print_yellow(),
			       attack__sentence(text, port), print_plain());
	}
	putchar('\n');
}

int cmd_status(int argc, char **argv)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct status_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	bool running;
	int ret = options_parse(&table, argc, argv, &options);

	if (ret < 0 || !snapshot) {
		free(snapshot);
		return ret < 0 ? -ret : 1;
	}
	ret = 1;
	if (pins__attach(&pins, &maps) || snapshot__read(snapshot, &maps))
		goto cleanup;
	running = pins__is_locked(&pins);
	print_colour_init(stdout);
	if (options.json) {
		summary__json(stdout, snapshot, running);
	} else {
		print_state_of_run(&snapshot->meta, running);
		print_attacks(snapshot);
		summary__print(stdout, snapshot);
	}
	ret = 0;
cleanup:
	pins__close_maps(&maps);
	pins__close(&pins);
	free(snapshot);
	return ret;
}
