// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden list: the entries of the running filter, this host's own and those of the fleet.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/fleet_lists.h"
#include "kernel/lists.h"
#include "kernel/pins.h"
#include "output/fleet_origin.h"
#include "output/records.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/print.h"

struct list_options {
	const char *from;
	bool count;
	bool json;
};

static const struct option_row rows[] = {
	{"from", 'f', OPTION_TEXT, 0, 0, "SOURCE", offsetof(struct list_options, from),
	 .help = "only entries from there: command, file, fleet, or a source of the fleet's by its name"},
	{"count", 'c', OPTION_FLAG, 0, 0, NULL, offsetof(struct list_options, count),
	 .help = "only how many there are"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct list_options, json), .help = "one JSON object a line"},
};

struct listing {
	const struct list_options *options;
	const char *list;
	const struct fleet_lists *fleet;
	uint64_t now_ns;
	uint64_t count;
};

static void print_line(const struct listing *listing, const struct prefix *prefix, uint64_t left_ns, const char *by)
{
	char text[PRINT_PREFIX_LEN], left[PRINT_NUMBER_LEN];

	printf("%-5s  %-43s  %-13s  by %s\n", listing->list, print_prefix(text, prefix),
	       left_ns ? print_duration(left, left_ns) : "until removed", by);
}

/* Without --from, all are. An entry by both is by each. */
static bool is_from(const char *from, unsigned origins)
{
	return !from || (origins & LIST_BY_COMMAND && !strcmp(from, "command")) ||
	       (origins & LIST_BY_FILE && !strcmp(from, "file"));
}

static void print_entry(void *context, const struct prefix *prefix, uint64_t left_ns, unsigned origins)
{
	struct listing *listing = context;

	if (!is_from(listing->options->from, origins))
		return;
	listing->count++;
	if (listing->options->count)
		return;
	if (listing->options->json)
		records__list_entry(stdout, listing->list, prefix, left_ns, origins);
	else
		print_line(listing, prefix, left_ns, records__list_origin(origins));
}

static bool is_from_fleet(const char *from, const struct fleet_origin *origin)
{
	return !from || !strcmp(from, "fleet") || !strncmp(from, origin->source, sizeof(origin->source));
}

static void print_fleet_entry(void *context, const struct fleet_entry *entry)
{
	struct fleet_origin origin = {};
	struct listing *listing = context;
	char by[FLEET_ORIGIN_LEN];

	fleet_lists__origin(listing->fleet, entry->origin, &origin);
	if (!is_from_fleet(listing->options->from, &origin))
		return;
	listing->count++;
	if (listing->options->count)
		return;
	if (listing->options->json)
		fleet_origin__record(stdout, listing->list, entry, &origin, listing->now_ns);
	else
		print_line(listing, &entry->prefix, entry->until_ns ? entry->until_ns - listing->now_ns : 0,
			   fleet_origin__text(by, &origin));
}

static int print_lists(const struct maps *maps, const struct list_options *options)
{
	const struct list_set own = list_set__of(maps, LIST_SET_OWN);
	struct listing listing = {.options = options, .now_ns = clock__now()};
	struct fleet_lists *fleet;
	int ret = fleet_lists__view(&fleet, maps) < 0 ? -1 : 0;

	listing.fleet = fleet;
	for (enum list list = 0; list < LIST_MAX && !ret; list++) {
		listing.list = lists__name(list);
		ret = lists__each(&own, list, print_entry, &listing);
	}
	for (enum list list = 0; list < LIST_MAX && !ret && fleet; list++) {
		listing.list = lists__name(list);
		ret = fleet_lists__each(fleet, list, print_fleet_entry, &listing);
	}
	if (options->count && !ret)
		printf("%llu\n", (unsigned long long)listing.count);
	fleet_lists__close(fleet);
	return ret;
}

int cmd_list(int argc, char **argv)
{
	static const struct option_table table = {
		.command = "list",
		.arguments = "",
		.summary = "Shows the allow and the block list of the running filter, and the fleet's.",
		.examples = "  synwarden list --json | jq 'select(.list == \"block\")'\n"
			    "  synwarden list --from crowdsec --count\n",
		.rows = rows,
		.count = sizeof(rows) / sizeof(*rows),
	};
	struct list_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	int ret = options__parse(&table, argc, argv, &options);

	if (ret < 0)
		return -ret;
	ret = pins__attach(&pins, &maps) || print_lists(&maps, &options);
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}
