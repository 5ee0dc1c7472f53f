// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fetch/say.h"
#include "kernel/explain.h"
#include "kernel/lists.h"
#include "kernel/pins.h"
#include "segments/drop_reasons.h"
#include "text/address.h"
#include "text/names.h"

/* Asks the filter in force. -1: it cannot be asked. */
static int explain(const struct attempt *attempt, struct explanation *answer)
{
	struct explain_syn syn = {
		.from = attempt->raddr,
		.to = attempt->laddr,
		.from_port = attempt->rport,
		.port = attempt->lport,
		.burst = true,
	};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	struct maps maps;
	int program = -1, ret = -1;

	if (!pins__attach(&pins, &maps))
		program = pins__explain(&pins);
	if (program >= 0) {
		ret = explain__syn(program, &syn, answer);
		close(program);
	}
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}

/* Which rule of the own filter it was, and what undoes it. */
static void say_filter(char words[SAY_LEN], const struct attempt *attempt, enum reason reason)
{
	char addr[PRINT_ADDR_LEN], entry[PRINT_PREFIX_LEN], listed[EXPLAIN_LISTED_LEN];
	struct explanation answer = {};
	struct prefix prefix;

	if (reason == REASON_BLOCKED && !explain(attempt, &answer) && answer.reason == REASON_BLOCKED) {
		prefix = explain__entry(&attempt->raddr, &answer);
		snprintf(words, SAY_LEN, "by this host's own filter: %s (undo: synwarden unblock %s)",
			 explain__listed(listed, &attempt->raddr, &answer, lists__name(LIST_BLOCK)),
			 print_prefix(entry, &prefix));
		return;
	}
	snprintf(words, SAY_LEN, "by this host's own filter (%s); see: synwarden why %s", print_reason(reason),
		 print_addr(addr, &attempt->raddr));
}

static void say_kernel(char words[SAY_LEN], const struct attempt *attempt, uint32_t drop_reason)
{
	const char *reason = drop_reasons__name(drop_reason);
	char addr[PRINT_ADDR_LEN];

	if (!strcmp(reason, "NETFILTER_DROP"))
		snprintf(words, SAY_LEN, "by this host's firewall (NETFILTER_DROP); see: nft list ruleset");
	else if (!strcmp(reason, "IP_RPFILTER"))
		snprintf(words, SAY_LEN,
			 "by rp_filter (IP_RPFILTER), as the route to %s leads elsewhere; see: ip route get %s",
			 print_addr(addr, &attempt->raddr), addr);
	else
		snprintf(words, SAY_LEN, "in this host's kernel (%s)", reason);
}

const char *say__dropped(char words[SAY_LEN], const struct attempt *attempt, const struct attempt_seen *seen)
{
	unsigned count = seen->filtered ?: seen->dropped_in ?: seen->dropped_out;
	char by[SAY_LEN];

	*words = '\0';
	if (!count)
		return words;
	if (seen->filtered)
		say_filter(by, attempt, seen->filter_reason);
	else
		say_kernel(by, attempt, seen->drop_reason);
	snprintf(words, SAY_LEN, "%u%s %s dropped %.320s", count,
		 seen->filtered || seen->dropped_in ? " came in and" : "", count == 1 ? "was" : "were", by);
	return words;
}
