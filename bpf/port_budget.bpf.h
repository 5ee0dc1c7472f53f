/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port budget: how many SYNs one listening port may get. A port over its budget is armed (arming.bpf.h): its SYNs
 * may be challenged, and its other segments are checked.
 */
#ifndef SYNWARDEN_PORT_BUDGET_H
#define SYNWARDEN_PORT_BUDGET_H

#include "arming.bpf.h"
#include "ports.bpf.h"
#include "syn.bpf.h"

/* Where no port has a rule of its own, the rule is constant to the verifier. */
static __always_inline const volatile struct port_rule *port_budget_rule(__u16 port)
{
	const struct port_rule *rule;
	__u32 key = port;

	if (!cfg.has_port_rules)
		return &cfg.default_rule;
	rule = bpf_map_lookup_elem(&port_rules, &key);
	return rule && rule->own ? rule : &cfg.default_rule;
}

/* Whether a budget applies to the SYN; sets s->rule and s->gcra. */
static __always_inline int port_budget_find(struct syn *s)
{
	const volatile struct port_rule *rule;
	__u32 slot = s->slot;

	if (!slot || !s->count)
		return 0;
	rule = port_budget_rule(s->pkt->dport);
	if (!rule->batch_ns)
		return 0;
	s->rule = rule;
	s->gcra = bpf_map_lookup_elem(&port_tats, &slot);
	return !!s->gcra;
}

static __always_inline struct arming_use port_budget_use(const struct syn *s)
{
	return (struct arming_use){
		.gcra = s->gcra,
		.arming = &s->gcra->syns,
		.tokens = &s->count->syn_tokens,
		.batch_ns = s->rule->batch_ns,
		.batch = s->rule->batch,
		.now = s->now,
		.slot = s->slot,
		.port = s->pkt->dport,
		.kind = ARMING_SYNS,
	};
}

/* Whether port_budget_admit() would admit the SYN. */
static __always_inline int port_budget_explain(const struct syn *s)
{
	struct explanation *answer = s->mode->answer;
	const struct arming_use use = port_budget_use(s);

	answer->budget = s->rule->budget;
	answer->own_rule = s->rule->own;
	answer->armed = s->gcra->syns.armed_until_ns > s->now;
	return answer->armed && answer->burst ? 0 : arming_has_room(&use);
}

/* 1: the SYN is within its port's budget. 0: over it, and the port is armed. After port_budget_find() alone. */
static __always_inline int port_budget_admit(const struct syn *s)
{
	const struct arming_use use = port_budget_use(s);

	if (!arming_charge(&use)) {
		arming_arm(&use);
		return 0;
	}
	if (arming_is_armed(&use))
		arming_keep(&use);
	return 1;
}

/*
 * Whether a SYN of a verified source is within what all of them may have of the port beyond its budget: an attacker
 * that knows their addresses, or is many of them, is bounded by this. A batch is as much larger as the cap is.
 */
static __always_inline int port_budget_admit_verified(const struct syn *s)
{
	__u64 batch = s->rule->batch * (__u64)VERIFIED_BUDGETS;
	struct port_count *count = s->count;

	if (s->mode->explains)
		return !arming_is_spent(count->verified_tokens, batch) ||
		       arming_next_tat(s->gcra->verified_tat_ns, s->rule->batch_ns, s->now);
	return arming_spend(&count->verified_tokens, batch, &s->gcra->verified_tat_ns, s->rule->batch_ns, s->now);
}

/* What a segment's port is armed for. */
enum port_armed {
	PORT_ARMED_SYNS = 1, /* and SYNs over the budget are challenged: the segment may answer a challenge */
	PORT_ARMED_STRAYS = 2,
	PORT_ARMED_CLOSED = 4, /* all closed ports together are; the port may be one */
};

/* Bits of enum port_armed. The clock is read only while any port may be armed. */
static __always_inline int port_budget_armed(__u16 port)
{
	__u32 key = 0, slot;
	const struct armed *any = bpf_map_lookup_elem(&armed, &key);
	const struct port_gcra *gcra;
	int bits = 0;
	__u64 now;

	if (!any || !any->any_until_ns)
		return 0;
	now = bpf_ktime_get_coarse_ns();
	if (any->any_until_ns < now)
		return 0;
	if (cfg.has_strays) {
		gcra = bpf_map_lookup_elem(&port_tats, &key);
		bits |= gcra && gcra->strays.armed_until_ns > now ? PORT_ARMED_CLOSED : 0;
	}
	slot = ports_slot(port);
	gcra = bpf_map_lookup_elem(&port_tats, &slot);
	if (!slot || !gcra)
		return bits;
	if (cfg.has_challenge && gcra->syns.armed_until_ns > now && port_budget_rule(port)->challenge == CHALLENGE_AUTO)
		bits |= PORT_ARMED_SYNS;
	if (cfg.has_strays && gcra->strays.armed_until_ns > now)
		bits |= PORT_ARMED_STRAYS;
	return bits;
}

#endif
