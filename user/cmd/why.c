// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden why: what would happen to a SYN from an address now, and which rule says so: the filter's own answer
 * (kernel/explain), in words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "config/cidr.h"
#include "config/values.h"
#include "kernel/pins.h"
#include "kernel/snapshot.h"
#include "output/why.h"
#include "text/address.h"
#include "text/log.h"
#include "text/print.h"

struct why_options {
	const char *to;
	const char *interface;
	uint32_t port;
	uint32_t source_port;
	bool json;
};

static const struct option_row rows[] = {
	{"port", 'p', OPTION_NUMBER, 1, 65535, "N", offsetof(struct why_options, port),
	 .help = "to this port (default: any)"},
	{"to", 't', OPTION_TEXT, 0, 0, "ADDRESS", offsetof(struct why_options, to),
	 .help = "to this address of the host (default: any that it serves)"},
	{"source-port", 's', OPTION_NUMBER, 1, 65535, "N", offsetof(struct why_options, source_port),
	 .help = "from this port (default: one without a connection)"},
	{"interface", 'i', OPTION_TEXT, 0, 0, "IFACE", offsetof(struct why_options, interface),
	 .help = "in by this interface (default: the first that is filtered)"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct why_options, json), .help = "one JSON object"},
};

static const struct option_table table = {
	.command = "why",
	.arguments = "ADDRESS",
	.summary = "Says what would happen to a SYN from ADDRESS now, and which rule says so.",
	.examples = "  synwarden why 198.51.100.1\n"
		    "  synwarden why 2001:db8::1 --port 443 --to 2001:db8:1::80\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.min_arguments = 1,
	.max_arguments = 1,
};

static int parse_address(const char *option, const char *text, struct addr *addr)
{
	struct prefix prefix;
	const char *unused;

	if (parse_cidr(text, &prefix, &unused) || prefix.prefixlen != 128) {
		log_error("why: %s\"%s\" is not an IPv4 or IPv6 address", option, text);
		return -1;
	}
	memcpy(addr->words, prefix.words, sizeof(addr->words));
	return 0;
}

static int read_question(struct why *why, const char *address, const struct why_options *options)
{
	why->syn = (struct explain_syn){.port = options->port, .from_port = options->source_port, .burst = true};
	why->to_one = options->to;
	why->to_port = options->port;
	if (parse_address("", address, &why->syn.from) ||
	    (options->to && parse_address("--to: ", options->to, &why->syn.to)))
		return -1;
	if (!options->to || print_is_v4(&why->syn.from) == print_is_v4(&why->syn.to))
		return 0;
	log_error("why: --to: \"%s\" and \"%s\" are not of one address family", options->to, address);
	return -1;
}

static int ask(struct why *why, const char *interface, struct snapshot *snapshot)
{
	struct pins pins = {.fd = -1, .parent_fd = -1};
	int program = -1, ret = -1;
	struct maps maps;

	if (pins__attach(&pins, &maps) || snapshot__read(snapshot, &maps))
		goto cleanup;
	program = pins__explain(&pins);
	if (program >= 0)
		ret = why__ask(why, program, &maps, snapshot, interface);
cleanup:
	if (program >= 0)
		close(program);
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}

int cmd_why(int argc, char **argv)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct why_options options = {};
	struct why why = {};
	int count = options__parse(&table, argc, argv, &options), ret = EXIT_USAGE;

	if (count >= 0 && snapshot && read_question(&why, argv[1], &options) == 0) {
		ret = ask(&why, options.interface, snapshot) ? 1 : 0;
		if (!ret && options.json)
			why__json(stdout, argv[1], &why);
		else if (!ret)
			why__print(stdout, argv[1], &why);
	}
	free(snapshot);
	return ret;
}
