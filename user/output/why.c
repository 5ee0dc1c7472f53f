// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter's own answer (kernel/explain), in words.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "output/fleet_origin.h"
#include "output/why.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/json.h"
#include "text/log.h"
#include "text/names.h"
#include "text/print.h"

#define BECAUSE_LEN 320
#define OVER_LEN    64

/* "port 80 is over --port-budget 1000", or over its own budget. */
static const char *over_text(char buf[OVER_LEN], const struct why *why)
{
	snprintf(buf, OVER_LEN,
		 why->answer.own_rule ? "port %u is over its budget of %u" : "port %u is over --port-budget %u",
		 why->syn.port, why->answer.budget);
	return buf;
}

static void say_not_served(char because[BECAUSE_LEN], const struct why *why)
{
	char over[OVER_LEN], to[PRINT_ADDR_LEN];

	over_text(over, why);
	print_addr(to, &why->syn.to);
	if (why->answer.served)
		snprintf(because, BECAUSE_LEN, "%s, but nothing listens there at %s: all pass", over, to);
	else if (IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)why->syn.from.bytes))
		snprintf(because, BECAUSE_LEN, "%s, but SYNs from link-local addresses are not challenged: all pass",
			 over);
	else
		snprintf(because, BECAUSE_LEN, "%s, but %s is%s known to be served there: all pass (%s)", over,
			 why->to_one ? to : "no address of this host", why->to_one ? " not" : "",
			 why->meta->flags & META_PROTECT_AUTO
				 ? "--protect auto does not take the port, as a rule may translate it"
				 : "--protect makes it known");
}

/* Of a verified source, too: its SYNs are challenged beyond a rate of its own, and of all. */
static void say_verified(char because[BECAUSE_LEN], const struct why *why)
{
	char over[OVER_LEN], left[PRINT_NUMBER_LEN];
	uint64_t now = clock__now(), until = why->answer.until_ns;
	unsigned rate = NS_PER_S / VERIFIED_INTERVAL_NS;

	over_text(over, why);
	print_duration(left, until > now ? until - now : 0);
	if (why->answer.reason == REASON_VERIFIED)
		snprintf(because, BECAUSE_LEN,
			 "%s, but it has answered a challenge: for another %s, up to %u of its SYNs a second pass",
			 over, left, rate);
	else
		snprintf(because, BECAUSE_LEN,
			 "%s, and it sends more than the %u SYN/s that pass for having answered a challenge (for "
			 "another %s), or all such sources more than %d budgets: what is above is challenged again",
			 over, rate, left, VERIFIED_BUDGETS);
}

static const char *over_budget_text(enum reason reason)
{
	switch (reason) {
	case REASON_CHALLENGED:
		return "SYNs over it are answered with a cookie, which a real client passes unnoticed";
	case REASON_PORT_BUDGET:
		return "of its SYNs only so many pass, the rest are dropped";
	case REASON_ACCEPT_FULL:
		return "SYNs over it are dropped while the accept queue is full: the process accepts too slowly, or "
		       "its backlog is too short (ss -ltn shows both)";
	case REASON_UNREADY:
		return "SYNs over it pass, as the kernel would not accept a cookie (sysctl net.ipv4.tcp_syncookies, "
		       "which run sets to 2 while a port is armed)";
	case REASON_SIGNED:
		return "this SYN passes, as it is signed and the listener has keys to verify it with";
	case REASON_UNANSWERABLE:
		return "this SYN is dropped, as the kernel would not answer it either";
	case REASON_KNOWN:
		return "this SYN passes, as the kernel has a connection from that port (ss -tan shows it)";
	default:
		return print_reason(reason);
	}
}

/* The list that decided; NULL: none did. */
static const char *list_of(enum reason reason)
{
	switch (reason) {
	case REASON_ALLOWED:
		return "allow";
	case REASON_BLOCKED:
		return "block";
	case REASON_FLEET_ALLOWED:
		return "fleet's allow";
	case REASON_FLEET_BLOCKED:
		return "fleet's block";
	default:
		return NULL;
	}
}

static bool is_of_fleet(enum reason reason)
{
	return reason == REASON_FLEET_ALLOWED || reason == REASON_FLEET_BLOCKED;
}

static void say_fleet(char because[BECAUSE_LEN], const struct why *why)
{
	char listed[EXPLAIN_LISTED_LEN], from[FLEET_ORIGIN_LEN], addr[PRINT_ADDR_LEN];
	bool blocks = why->answer.reason == REASON_FLEET_BLOCKED;

	snprintf(because, BECAUSE_LEN, "%s, from %s; to %s: synwarden %s %s",
		 explain__listed(listed, &why->syn.from, &why->answer, list_of(why->answer.reason)),
		 fleet_origin__text(from, &why->origin), blocks ? "let it in here" : "block it here",
		 blocks ? "allow" : "block", print_addr(addr, &why->syn.from));
}

static void say(char because[BECAUSE_LEN], const struct why *why)
{
	enum reason reason = why->answer.reason;
	char over[OVER_LEN], text[PRINT_ADDR_LEN], listed[EXPLAIN_LISTED_LEN];

	if (is_of_fleet(reason))
		say_fleet(because, why);
	else if (list_of(reason))
		snprintf(because, BECAUSE_LEN, "%s",
			 explain__listed(listed, &why->syn.from, &why->answer, list_of(reason)));
	else if (reason == REASON_SOURCE_LIMIT)
		snprintf(because, BECAUSE_LEN, "it sends more than --source-limit %u SYN/s allows",
			 why->meta->source_limit);
	else if (reason == REASON_SYN)
		snprintf(because, BECAUSE_LEN, "no list names it, and no limit is reached%s%s",
			 why->to_port ? " on this port" : "",
			 why->to_port && !why->listening ? ", on which nothing listens" : "");
	else if (reason == REASON_NOT_SERVED)
		say_not_served(because, why);
	else if (reason == REASON_NOT_LOCAL)
		snprintf(because, BECAUSE_LEN,
			 "%s is not an address of this host now, or TCP answers no SYN from there",
			 print_addr(text, &why->syn.to));
	else if (reason == REASON_CLOSED_PORT)
		snprintf(because, BECAUSE_LEN,
			 "nothing listens on port %u, and more comes to closed ports than --stray-budget %u allows",
			 why->syn.port, why->meta->stray_budget);
	else if (reason == REASON_VERIFIED || (reason == REASON_CHALLENGED && why->answer.verified))
		say_verified(because, why);
	else
		snprintf(because, BECAUSE_LEN, "%s: %s", over_text(over, why), over_budget_text(reason));
}

/* When the last one was is not kept: it would cost each drop a write more. */
static void print_limited(FILE *out, const struct why *why)
{
	char count[PRINT_NUMBER_LEN], age[PRINT_NUMBER_LEN];

	if (why->limited.dropped)
		fprintf(out, "; --source-limit %s %s of its SYNs in the last %s",
			why->meta->dry_run ? "would have dropped" : "dropped", print_count(count, why->limited.dropped),
			print_duration(age, clock__now() - why->limited.since_ns));
}

void why__print(FILE *out, const char *address, const struct why *why)
{
	enum verdict verdict = print_reason_verdict(why->answer.reason);
	char because[BECAUSE_LEN];

	say(because, why);
	fprintf(out, "%s: %s (%s): %s%s", address, print_verdict(verdict), print_reason(why->answer.reason), because,
		why->meta->dry_run && verdict != VERDICT_PASS ? "; but this is a dry run: it passes" : "");
	print_limited(out, why);
	fputc('\n', out);
}

void why__json(FILE *out, const char *address, const struct why *why)
{
	enum verdict verdict = print_reason_verdict(why->answer.reason);
	char because[BECAUSE_LEN];
	struct json json;

	say(because, why);
	json_begin(&json, out);
	json_string(&json, "address", address);
	json_string(&json, "verdict", print_verdict(verdict));
	json_string(&json, "reason", print_reason(why->answer.reason));
	json_string(&json, "because", because);
	json_bool(&json, "dry_run", why->meta->dry_run);
	json_number(&json, "limited", why->limited.dropped);
	if (is_of_fleet(why->answer.reason))
		fleet_origin__json(&json, &why->origin);
	json_end(&json);
}

/* The interface of that name, or else the first, of those that are filtered. */
static int find_interface(struct why *why, const char *name)
{
	for (unsigned i = 0; i < why->meta->interfaces && i < META_INTERFACES; i++) {
		if (!why->meta->interface[i].ifindex || (name && strcmp(why->meta->interface[i].name, name) != 0))
			continue;
		why->syn.ifindex = why->meta->interface[i].ifindex;
		return 0;
	}
	if (!name)
		return 0;
	log_error("why: --interface: \"%s\" is not filtered; synwarden status shows those that are", name);
	return -1;
}

/* What is known of port and source besides. */
static int look(struct why *why, const struct maps *maps)
{
	struct listener *listeners = snapshot__map_listeners(maps);

	if (!listeners) {
		log_error("why: cannot read which ports have a listener: %s", strerror(errno));
		return -1;
	}
	why->listening = listeners[why->syn.port].listening;
	snapshot__unmap_listeners(listeners);
	return why->meta->source_limit ? snapshot__limited(&why->limited, maps, &why->syn.from) : 0;
}

/* Unknown where the entry has gone meanwhile. */
static int look_up_origin(struct why *why, const struct maps *maps)
{
	enum list list = why->answer.reason == REASON_FLEET_BLOCKED ? LIST_BLOCK : LIST_ALLOW;
	const struct prefix prefix = explain__entry(&why->syn.from, &why->answer);
	struct fleet_lists *fleet;
	struct fleet_entry entry;

	if (fleet_lists__view(&fleet, maps))
		return -1;
	if (fleet_lists__find(fleet, list, &prefix, &entry))
		fleet_lists__origin(fleet, entry.origin, &why->origin);
	fleet_lists__close(fleet);
	return 0;
}

int why__ask(struct why *why, int program, const struct maps *maps, const struct snapshot *snapshot,
	     const char *interface)
{
	why->meta = &snapshot->meta;
	if (find_interface(why, interface) || look(why, maps))
		return -1;
	if (explain__any(program, maps, snapshot, &why->syn, &why->answer))
		return -1;
	return is_of_fleet(why->answer.reason) ? look_up_origin(why, maps) : 0;
}
