/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port budget: how many SYNs one listening port may get. A GCRA for all CPUs, from which each takes a batch at a
 * time, so that nothing shared is written for every packet. A port over its budget is armed: its SYNs may be
 * challenged, and its other segments are checked. An armed port stays so while its SYNs come at more than half the
 * budget, and ten seconds longer.
 */
#ifndef SYNWARDEN_PORT_BUDGET_H
#define SYNWARDEN_PORT_BUDGET_H

#include "ports.bpf.h"
#include "sample.bpf.h"
#include "syn.bpf.h"

#define PORT_BUDGET_CAS_TRIES 4
#define PORT_BUDGET_QUIET_NS  10000000000ULL /* from a port's last busy moment until it is disarmed */
#define PORT_BUDGET_RENEW_NS  100000000ULL   /* that moment is noted at most this often */

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

/* When the theoretical arrival time would be after one more batch; 0: too far ahead. An idle budget always has one. */
static __always_inline __u64 port_budget_next_tat(__u64 tat, __u64 batch_ns, __u64 now)
{
	if (tat <= now)
		return now + batch_ns;
	return tat + batch_ns > now + cfg.budget_burst_ns ? 0 : tat + batch_ns;
}

/* Takes a batch of the port's budget for this CPU. A lost race admits the batch. */
static __always_inline int port_budget_take(__u64 *tat_ns, __u64 batch_ns, __u64 now)
{
	__u64 tat, next;
	int i;

	for (i = 0; i < PORT_BUDGET_CAS_TRIES; i++) {
		tat = *tat_ns;
		next = port_budget_next_tat(tat, batch_ns, now);
		if (!next)
			return 0;
		if (__sync_val_compare_and_swap(tat_ns, tat, next) == tat)
			return 1;
	}
	return 1;
}

static __noinline void port_budget_arm_anew(struct port_gcra *gcra, __u32 slot, __u16 port, __u64 now)
{
	struct alert alert = {.time_ns = now, .slot = slot, .port = port};
	__u64 *any;
	__u32 key = 0;

	if (!gcra)
		return;
	if (gcra->armed_until_ns < now) {
		sample_begin(gcra, slot, now);
		bpf_ringbuf_output(&alerts, &alert, sizeof(alert), BPF_RB_FORCE_WAKEUP);
	}
	gcra->armed_until_ns = now + PORT_BUDGET_QUIET_NS;
	any = bpf_map_lookup_elem(&armed, &key);
	if (any && *any < now + PORT_BUDGET_QUIET_NS)
		*any = now + PORT_BUDGET_QUIET_NS;
}

/* The port is busy now. */
static __always_inline void port_budget_arm(const struct syn *s)
{
	if (s->gcra->armed_until_ns + PORT_BUDGET_RENEW_NS < s->now + PORT_BUDGET_QUIET_NS)
		port_budget_arm_anew(s->gcra, s->slot, s->pkt->dport, s->now);
}

/* On PREEMPT_RT, two packets of one CPU may both spend the last token: the number then wraps below zero. */
static __always_inline int port_budget_is_spent(__u64 tokens, __u64 batch)
{
	return tokens - 1 >= batch;
}

/* Counts a SYN to an armed port towards half the budget; over it, the port stays armed. */
static __always_inline void port_budget_keep_armed(const struct syn *s)
{
	struct port_count *count = s->count;

	if (port_budget_is_spent(count->half_tokens, s->rule->batch)) {
		if (!port_budget_take(&s->gcra->half_tat_ns, s->rule->batch_ns * 2ULL, s->now)) {
			port_budget_arm(s);
			return;
		}
		count->half_tokens = s->rule->batch;
	}
	count->half_tokens--;
}

/* Whether port_budget_admit() would admit the SYN. */
static __always_inline int port_budget_explain(const struct syn *s)
{
	struct explanation *answer = s->mode->answer;

	answer->budget = s->rule->budget;
	answer->own_rule = s->rule->own;
	answer->armed = s->gcra->armed_until_ns > s->now;
	if (answer->armed && answer->burst)
		return 0;
	return !port_budget_is_spent(s->count->tokens, s->rule->batch) ||
	       port_budget_next_tat(s->gcra->tat_ns, s->rule->batch_ns, s->now);
}

/* 1: the SYN is within its port's budget. 0: over it, and the port is armed. After port_budget_find() alone. */
static __always_inline int port_budget_admit(const struct syn *s)
{
	struct port_count *count = s->count;

	if (port_budget_is_spent(count->tokens, s->rule->batch)) {
		if (!port_budget_take(&s->gcra->tat_ns, s->rule->batch_ns, s->now)) {
			port_budget_arm(s);
			return 0;
		}
		count->tokens = s->rule->batch;
	}
	count->tokens--;
	if (s->gcra->armed_until_ns >= s->now)
		port_budget_keep_armed(s);
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
		return !port_budget_is_spent(count->verified_tokens, batch) ||
		       port_budget_next_tat(s->gcra->verified_tat_ns, s->rule->batch_ns, s->now);
	if (port_budget_is_spent(count->verified_tokens, batch)) {
		if (!port_budget_take(&s->gcra->verified_tat_ns, s->rule->batch_ns, s->now))
			return 0;
		count->verified_tokens = batch;
	}
	count->verified_tokens--;
	return 1;
}

/*
 * Whether an ordinary segment may answer a challenge: its port is armed, and its SYNs are challenged. The clock is read
 * only while any port may be armed.
 */
static __always_inline int port_budget_challenges(__u16 port)
{
	__u32 key = 0, slot;
	const __u64 *any = bpf_map_lookup_elem(&armed, &key);
	const struct port_gcra *gcra;
	__u64 now;

	if (!any || !*any)
		return 0;
	now = bpf_ktime_get_coarse_ns();
	if (*any < now)
		return 0;
	slot = ports_slot(port);
	gcra = bpf_map_lookup_elem(&port_tats, &slot);
	return slot && gcra && gcra->armed_until_ns > now && port_budget_rule(port)->challenge == CHALLENGE_AUTO;
}

#endif
