// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden why: what would happen to a SYN from an address now, and which rule says so. It asks the same questions as
 * filter_packet, in the same order, of the pinned maps.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "clock.h"
#include "cmd.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "pins.h"
#include "print.h"
#include "snapshot.h"

#define BUDGET_LEN 32
#define BURSTS_NS  50000000 /* between two bursts of one sender */

struct why_options {
	const char *to;
	uint32_t port;
	bool json;
};

static const struct option_row rows[] = {
	{"port", 'p', OPTION_NUMBER, 1, 65535, "N", offsetof(struct why_options, port), "to this port (default: any)"},
	{"to", 't', OPTION_TEXT, 0, 0, "ADDRESS", offsetof(struct why_options, to),
	 "to this address of the host (default: any that it serves)"},
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

/* The SYN that is asked about. */
struct question {
	struct addr from;
	struct addr to; /* where to_one */
	bool to_one;
	uint32_t port; /* 0: any */
};

struct answer {
	enum reason reason;
	char because[256];
};

static void say(struct answer *answer, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct answer *answer, enum reason reason, const char *format, ...)
{
	va_list args;

	answer->reason = reason;
	va_start(args, format);
	vsnprintf(answer->because, sizeof(answer->because), format, args);
	va_end(args);
}

/*
 * Whether a GCRA with room for a second's worth was used up just now: SYNs come in bursts, and between two of them one
 * more might pass.
 */
static bool is_used_up(uint64_t tat_ns, uint64_t interval_ns, uint64_t now)
{
	return tat_ns + interval_ns + BURSTS_NS > now + NS_PER_S;
}

static bool is_listed(const struct maps *maps, enum list list, const struct addr *addr, enum reason reason,
		      struct answer *answer)
{
	char prefix[PRINT_PREFIX_LEN], left[PRINT_NUMBER_LEN];
	struct prefix match;
	uint64_t left_ns;

	if (!lists__match(maps, list, addr, &match, &left_ns))
		return false;
	say(answer, reason, "%s is on the %s list%s%s", print_prefix(prefix, &match), lists__name(list),
	    left_ns ? " for another " : "", left_ns ? print_duration(left, left_ns) : "");
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
	uint64_t now = clock__now(), interval;
	__u32 key;

	if (!s->meta.source_limit)
		return false;
	interval = NS_PER_S / s->meta.source_limit;
	for (key = 0; key < SOURCE_SETS; key++) {
		if (bpf_map_lookup_elem(maps->sources, &key, &set))
			return false;
		for (int way = 0; way < SOURCE_WAYS; way++) {
			if (memcmp(&set.ways[way].addr, &source, sizeof(source)) ||
			    !is_used_up(set.ways[way].tat_ns, interval, now))
				continue;
			say(answer, REASON_SOURCE_LIMIT, "it sends more than --source-limit %u SYN/s allows",
			    s->meta.source_limit);
			return true;
		}
	}
	return false;
}

/* The source's record, while its answer to a challenge counts. Slots go by the filter's hash: all are looked at. */
static bool find_verified(const struct maps *maps, const struct addr *addr, struct verified *verified)
{
	struct addr source = source_of(addr);
	struct verified *all = calloc(MAX_VERIFIED, sizeof(*all));
	__u32 *slots = calloc(MAX_VERIFIED, sizeof(*slots)), batch, count = MAX_VERIFIED, i;
	uint64_t now = clock__now();
	bool found = false;

	if (all && slots && bpf_map_lookup_batch(maps->verified, NULL, &batch, slots, all, &count, NULL) &&
	    errno != ENOENT)
		count = 0;
	for (i = 0; all && slots && i < count && !found; i++) {
		*verified = all[i];
		found = !memcmp(&all[i].source, &source, sizeof(source)) && all[i].until_ns > now;
	}
	free(slots);
	free(all);
	return found;
}

/* Whether this entry is for the SYN's port and address; without --to, for any that the source could mean. */
static bool serves(const struct served *served, const struct question *question, uint16_t port)
{
	struct addr addr;

	memcpy(addr.words, served->words, sizeof(addr.words));
	if (served->port != port)
		return false;
	if (!addr.halves[0] && !addr.halves[1])
		return true;
	if (question->to_one)
		return !memcmp(&addr, &question->to, sizeof(addr));
	return print_is_v4(&addr) == print_is_v4(&question->from);
}

static bool is_served(const struct maps *maps, const struct question *question, uint16_t port)
{
	struct served key;
	int err;

	for (err = bpf_map_get_next_key(maps->served, NULL, &key); !err;
	     err = bpf_map_get_next_key(maps->served, &key, &key))
		if (serves(&key, question, port))
			return true;
	return false;
}

/* The armed port that decides; without --port, the first one that is served, or else the first one. */
static const struct port_view *armed_port(const struct maps *maps, const struct snapshot *s,
					  const struct question *question, bool *served)
{
	const struct port_view *first = NULL, *port;

	*served = false;
	for (size_t i = 1; i < s->port_count && !*served; i++) {
		port = &s->ports[i];
		if (!port->armed || (question->port && question->port != port->port))
			continue;
		*served = is_served(maps, question, port->port);
		if (*served || !first)
			first = port;
	}
	return first;
}

/* "--port-budget 1000", or what the configuration file says of the port. */
static const char *budget_text(char buf[BUDGET_LEN], const struct port_view *port)
{
	snprintf(buf, BUDGET_LEN, port->own_rule ? "its budget of %u" : "--port-budget %u", port->budget);
	return buf;
}

static void say_not_served(struct answer *answer, const struct question *question, const struct port_view *port)
{
	char budget[BUDGET_LEN], to[PRINT_ADDR_LEN] = "no address of this host";

	if (question->to_one)
		print_addr(to, &question->to);
	say(answer, REASON_NOT_SERVED,
	    "port %u is over %s, but %s is%s known to be served there: all pass (--protect makes it known)", port->port,
	    budget_text(budget, port), to, question->to_one ? " not" : "");
}

/* What becomes of a SYN that may be challenged. The rate of a verified source is a GCRA, as in the filter. */
static void ask_challenge(struct answer *answer, const struct maps *maps, const struct question *question,
			  const struct port_view *port)
{
	char left[PRINT_NUMBER_LEN], budget[BUDGET_LEN];
	struct verified verified;
	uint64_t now = clock__now();
	unsigned rate = NS_PER_S / VERIFIED_INTERVAL_NS;

	budget_text(budget, port);
	if (!find_verified(maps, &question->from, &verified)) {
		say(answer, REASON_CHALLENGED,
		    "port %u is over %s: SYNs over it are answered with a cookie, which a real client "
		    "passes unnoticed",
		    port->port, budget);
		return;
	}
	print_duration(left, verified.until_ns - now);
	if (!is_used_up(verified.tat_ns, VERIFIED_INTERVAL_NS, now))
		say(answer, REASON_VERIFIED,
		    "port %u is over %s, but it has answered a challenge: for another %s, up to %u of "
		    "its SYNs a second pass",
		    port->port, budget, left, rate);
	else
		say(answer, REASON_CHALLENGED,
		    "port %u is over %s, and it sends more than the %u SYN/s that pass for having "
		    "answered a challenge (for another %s): what is above is challenged again",
		    port->port, budget, rate, left);
}

static void ask(struct answer *answer, const struct maps *maps, const struct snapshot *s,
		const struct question *question)
{
	const struct port_view *port;
	char budget[BUDGET_LEN];
	bool served;

	if (is_listed(maps, LIST_ALLOW, &question->from, REASON_ALLOWED, answer) ||
	    is_listed(maps, LIST_BLOCK, &question->from, REASON_BLOCKED, answer) ||
	    is_over_limit(maps, s, &question->from, answer))
		return;
	port = armed_port(maps, s, question, &served);
	if (!port)
		say(answer, REASON_SYN, "no list names it, and no limit is reached%s",
		    question->port ? " on this port" : "");
	else if (!served)
		say_not_served(answer, question, port);
	else if (!port->challenge)
		say(answer, REASON_PORT_BUDGET,
		    "port %u is over %s: of its SYNs only so many pass, the rest are dropped", port->port,
		    budget_text(budget, port));
	else
		ask_challenge(answer, maps, question, port);
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

int cmd_why(int argc, char **argv)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct why_options options = {};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct question question = {};
	struct answer answer;
	struct maps maps;
	int count = options_parse(&table, argc, argv, &options), ret = EXIT_USAGE;

	if (count < 0 || !snapshot)
		goto out;
	question.port = options.port;
	question.to_one = options.to;
	if (parse_address("", argv[1], &question.from) ||
	    (options.to && parse_address("--to: ", options.to, &question.to)))
		goto out;
	ret = 1;
	if (pins__attach(&pins, &maps) || snapshot__read(snapshot, &maps))
		goto cleanup;
	ask(&answer, &maps, snapshot, &question);
	print_answer(argv[1], &answer, snapshot->meta.dry_run, options.json);
	ret = 0;
cleanup:
	pins__close_maps(&maps);
	pins__close(&pins);
out:
	free(snapshot);
	return ret;
}
