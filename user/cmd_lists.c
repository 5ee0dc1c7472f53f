// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden block, unblock, allow, unallow, list: the lists of the running filter.
 */
#include <stdio.h>

#include "cmd.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "pins.h"
#include "print.h"
#include "records.h"

struct list_options {
	uint64_t lifetime_ns;
	bool json;
};

static const struct option_row add_rows[] = {
	{"for", 0, OPTION_DURATION, 1, 31536000, "10m", offsetof(struct list_options, lifetime_ns),
	 "forget the entry after this long (s, m, h, d)"},
};

static const struct option_row list_rows[] = {
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct list_options, json), "one JSON object a line"},
};

/* Parses and applies one change; every CIDR is checked before the first is applied. */
static int change(int argc, char **argv, bool add, enum list list)
{
	const struct option_table table = {
		.command = argv[0],
		.arguments = "CIDR...",
		.summary = add ? "Puts prefixes (or whole addresses) on the list of the running filter."
			       : "Takes prefixes off the list of the running filter.",
		.rows = add_rows,
		.count = add ? 1 : 0,
		.min_arguments = 1,
		.max_arguments = 1024,
	};
	const char *why;
	struct list_options options = {};
	struct prefix prefix;
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	int count = options_parse(&table, argc, argv, &options), i, ret = 1;

	if (count < 0)
		return -count;
	for (i = 1; i <= count; i++) {
		if (parse_cidr(argv[i], &prefix, &why)) {
			log_error("%s: \"%s\" is not %s", argv[0], argv[i], why);
			return EXIT_USAGE;
		}
	}
	if (pins__attach(&pins, &maps))
		goto cleanup;
	ret = 0;
	for (i = 1; i <= count && !ret; i++) {
		parse_cidr(argv[i], &prefix, &why);
		ret = -(add ? lists__add(&maps, list, &prefix, options.lifetime_ns)
			    : lists__remove(&maps, list, &prefix));
	}
cleanup:
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}

int cmd_block(int argc, char **argv)
{
	return change(argc, argv, true, LIST_BLOCK);
}

int cmd_unblock(int argc, char **argv)
{
	return change(argc, argv, false, LIST_BLOCK);
}

int cmd_allow(int argc, char **argv)
{
	return change(argc, argv, true, LIST_ALLOW);
}

int cmd_unallow(int argc, char **argv)
{
	return change(argc, argv, false, LIST_ALLOW);
}

struct listing {
	const char *list;
	bool json;
};

static void print_entry(void *context, const struct prefix *prefix, uint64_t left_ns)
{
	const struct listing *listing = context;
	char text[PRINT_PREFIX_LEN], left[PRINT_NUMBER_LEN];

	if (listing->json)
		records__list_entry(stdout, listing->list, prefix, left_ns);
	else
		printf("%-5s  %-43s  %s\n", listing->list, print_prefix(text, prefix),
		       left_ns ? print_duration(left, left_ns) : "until removed");
}

static int print_list(const struct maps *maps, enum list list, bool json)
{
	struct listing listing = {lists__name(list), json};

	return lists__each(maps, list, print_entry, &listing);
}

int cmd_list(int argc, char **argv)
{
	static const struct option_table table = {
		.command = "list",
		.arguments = "",
		.summary = "Shows the allow and the block list of the running filter.",
		.rows = list_rows,
		.count = 1,
	};
	struct list_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	int ret = options_parse(&table, argc, argv, &options);

	if (ret < 0)
		return -ret;
	ret = 1;
	if (pins__attach(&pins, &maps))
		goto cleanup;
	if (print_list(&maps, LIST_ALLOW, options.json) || print_list(&maps, LIST_BLOCK, options.json))
		goto cleanup;
	ret = 0;
cleanup:
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}
