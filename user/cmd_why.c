// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden why: what would happen to a SYN from an address now, and which rule says so. It asks the same questions as
 * filter_packet, in the same order, of the pinned maps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "cmd.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "pins.h"
#include "print.h"
#include "snapshot.h"

struct why_options {
	uint32_t port;
	bool json;
};

static const struct option_row rows[] = {
	{"port", 'p', OPTION_NUMBER, 1, 65535, "N", offsetof(struct why_options, port), "to this port (default: any)"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct why_options, json), "one JSON object"},
};

static const struct option_table table = {
	.command = "why",
	.arguments = "ADDRESS",
	.summary = "Says what would happen to a SYN from ADDRESS now, and which rule says so.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.min_arguments = 1,
	.max_arguments = 1,
};

struct answer {
	enum reason reason;
	char because[160];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static bool is_listed(const struct maps *maps, enum list list, const struct addr *addr, enum reason reason,
		      struct answer *answer)
{
	char prefix[PRINT_PREFIX_LEN], left[PRINT_NUMBER_LEN];
	struct prefix match;
	uint64_t left_ns;

	if (!lists__match(maps, list, addr, &match, &left_ns))
		return false;
	answer->reason = reason;
	snprintf(answer->because, sizeof(answer->because), "%s is on the %s list%s%s", print_prefix(prefix, &match),
		 lists__name(list), left_ns ? " for another " : "", left_ns ? print_duration(left, left_ns) : "");
	return true;
}

/* What the limits apply to: an IPv6 address stands for its /64. */
static struct addr source_of(const struct addr *addr)
{
	struct addr source = *addr;

	if (!print_is_v4(addr))
		source.halves[1] = 0;
	return source;
}

static bool is_over_limit(const struct maps *maps, const struct snapshot *s, const struct addr *addr,
			  struct answer *answer)
{
	struct addr source = source_of(addr);
	struct source_set set;
	uint64_t now = now_ns(), interval;
	__u32 key;

	if (!s->meta.source_limit)
		return false;
	interval = 1000000000ULL / s->meta.source_limit;
	for (key = 0; key < SOURCE_SETS; key++) {
		if (bpf_map_lookup_elem(maps->sources, &key, &set))
			return false;
		for (int way = 0; way < SOURCE_WAYS; way++) {
			if (memcmp(&set.ways[way].addr, &source, sizeof(source)) ||
			    set.ways[way].tat_ns + interval <= now + 1000000000ULL)
				continue;
			answer->reason = REASON_SOURCE_LIMIT;
			snprintf(answer->because, sizeof(answer->because),
				 "it sends more than --source-limit %u SYN/s allows", s->meta.source_limit);
			return true;
		}
	}
	return false;
}

/* Slots go by a hash that only the filter knows: all are looked at. */
static bool is_verified(const struct maps *maps, const struct addr *addr)
{
	struct addr source = source_of(addr);
	struct verified *all = calloc(MAX_VERIFIED, sizeof(*all));
	__u32 *slots = calloc(MAX_VERIFIED, sizeof(*slots)), batch, count = MAX_VERIFIED, i;
	bool found = false;

	if (all && slots && bpf_map_lookup_batch(maps->verified, NULL, &batch, slots, all, &count, NULL) &&
	    errno != ENOENT)
		count = 0;
	for (i = 0; all && slots && i < count && !found; i++)
		found = !memcmp(&all[i].source, &source, sizeof(source)) && all[i].until_ns > now_ns();
	free(slots);
	free(all);
	return found;
}

/* The armed port that would decide; without --port, the first one. */
static const struct port_view *armed_port(const struct snapshot *s, uint32_t port)
{
	for (size_t i = 1; i < s->port_count; i++)
		if (s->ports[i].armed && (!port || s->ports[i].port == port))
			return &s->ports[i];
	return NULL;
}

static void ask(struct answer *answer, const struct maps *maps, const struct snapshot *s, const struct addr *addr,
		uint32_t wanted)
{
	const struct port_view *port = armed_port(s, wanted);

	if (is_listed(maps, LIST_ALLOW, addr, REASON_ALLOWED, answer) ||
	    is_listed(maps, LIST_BLOCK, addr, REASON_BLOCKED, answer) || is_over_limit(maps, s, addr, answer))
		return;
	answer->reason = REASON_SYN;
	if (!port) {
		snprintf(answer->because, sizeof(answer->because), "no list names it, and no limit is reached%s",
			 wanted ? " on this port" : "");
	} else if (!s->meta.challenge) {
		answer->reason = REASON_PORT_BUDGET;
		snprintf(answer->because, sizeof(answer->because),
			 "port %u is over --port-budget %u: of its SYNs only so many pass, the rest are dropped",
			 port->port, s->meta.port_budget);
	} else if (is_verified(maps, addr)) {
		answer->reason = REASON_VERIFIED;
		snprintf(answer->because, sizeof(answer->because),
			 "port %u is armed, and it has answered a challenge in the last five minutes", port->port);
	} else {
		answer->reason = REASON_CHALLENGED;
		snprintf(answer->because, sizeof(answer->because),
			 "port %u is over --port-budget %u: SYNs over it are answered with a cookie, which a real "
			 "client "
			 "passes unnoticed",
			 port->port, s->meta.port_budget);
	}
}

static void print_answer(const char *address, const struct answer *answer, bool dry_run, bool as_json)
{
	enum verdict verdict = print_reason_verdict(answer->reason);
	struct json json;

	if (!as_json) {
		printf("%s: %s (%s): %s%s\n", address, print_verdict(verdict), print_reason(answer->reason),
		       answer->because, dry_run && verdict != VERDICT_PASS ? "; but this is a dry run: it passes" : "");
		return;
	}
	json_begin(&json, stdout);
	json_string(&json, "address", address);
	json_string(&json, "verdict", print_verdict(verdict));
	json_string(&json, "reason", print_reason(answer->reason));
	json_string(&json, "because", answer->because);
	json_bool(&json, "dry_run", dry_run);
	json_end(&json);
}

int cmd_why(int argc, char **argv)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct why_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct answer answer;
	struct prefix prefix;
	struct addr addr;
	struct maps maps;
	const char *unused;
	int count = options_parse(&table, argc, argv, &options), ret = EXIT_USAGE;

	if (count < 0 || !snapshot)
		goto out;
	if (parse_cidr(argv[1], &prefix, &unused) || prefix.prefixlen != 128) {
		log_error("why: \"%s\" is not an IPv4 or IPv6 address", argv[1]);
		goto out;
	}
	memcpy(addr.words, prefix.words, sizeof(addr.words));
	ret = 1;
	if (pins__attach(&pins, &maps) || snapshot__read(snapshot, &maps))
		goto cleanup;
	ask(&answer, &maps, snapshot, &addr, options.port);
	print_answer(argv[1], &answer, snapshot->meta.dry_run, options.json);
	ret = 0;
cleanup:
	pins__close_maps(&maps);
	pins__close(&pins);
out:
	free(snapshot);
	return ret;
}
