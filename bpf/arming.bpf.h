/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arming: a budget of one listening port, and what happens when it is used up. A GCRA for all CPUs, from which each
 * takes a batch at a time, so that nothing shared is written for every packet. What comes over the budget arms the
 * port. It stays armed while more than half the budget comes, and ten seconds longer. Budgets of SYNs
 * (port_budget.bpf.h) and of strays (strays.bpf.h) are alike.
 */
#ifndef SYNWARDEN_ARMING_H
#define SYNWARDEN_ARMING_H

#include "maps.bpf.h"
#include "sample.bpf.h"

#define ARMING_CAS_TRIES 4
#define ARMING_QUIET_NS	 10000000000ULL /* from a port's last busy moment until it is released */
#define ARMING_RENEW_NS	 100000000ULL	/* that moment is noted at most this often */

/* One budget, for one packet. */
struct arming_use {
	struct port_gcra *gcra;
	struct arming *arming; /* the one of `gcra` that `kind` names */
	struct tokens *tokens; /* of this CPU */
	__u64 batch_ns;
	__u64 now; /* CLOCK_MONOTONIC_COARSE */
	__u32 batch;
	__u32 slot;
	__u16 port;
	enum arming_kind kind;
};

/* When the theoretical arrival time would be after one more batch; 0: too far ahead. An idle budget always has one. */
static __always_inline __u64 arming_next_tat(__u64 tat, __u64 batch_ns, __u64 now)
{
	if (tat <= now)
		return now + batch_ns;
	return tat + batch_ns > now + cfg.budget_burst_ns ? 0 : tat + batch_ns;
}

/* Takes a batch for this CPU. A lost race admits the batch. */
static __always_inline int arming_take(__u64 *tat_ns, __u64 batch_ns, __u64 now)
{
	__u64 tat, next;
	int i;

	for (i = 0; i < ARMING_CAS_TRIES; i++) {
		tat = *tat_ns;
		next = arming_next_tat(tat, batch_ns, now);
		if (!next)
			return 0;
		if (__sync_val_compare_and_swap(tat_ns, tat, next) == tat)
			return 1;
	}
	return 1;
}

/* On PREEMPT_RT, two packets of one CPU may both spend the last token: the number then wraps below zero. */
static __always_inline int arming_is_spent(__u64 tokens, __u64 batch)
{
	return tokens - 1 >= batch;
}

/* Spends a token, of a new batch where this CPU has none left. 0: there is none. */
static __always_inline int arming_spend(__u64 *tokens, __u64 batch, __u64 *tat_ns, __u64 batch_ns, __u64 now)
{
	if (arming_is_spent(*tokens, batch)) {
		if (!arming_take(tat_ns, batch_ns, now))
			return 0;
		*tokens = batch;
	}
	--*tokens;
	return 1;
}

static __always_inline void arming_until(__u64 *until_ns, __u64 now)
{
	if (*until_ns < now + ARMING_QUIET_NS)
		*until_ns = now + ARMING_QUIET_NS;
}

static __noinline void arming_arm_anew(struct port_gcra *gcra, __u32 slot, __u16 port, __u64 now, enum arming_kind kind)
{
	struct alert alert = {.time_ns = now, .slot = slot, .port = port, .kind = kind};
	struct arming *arming;
	struct armed *any;
	__u32 key = 0;

	any = bpf_map_lookup_elem(&armed, &key);
	if (!gcra || !any)
		return;
	arming = kind == ARMING_STRAYS ? &gcra->strays : &gcra->syns;
	if (arming->armed_until_ns < now) {
		if (kind == ARMING_SYNS)
			sample_begin(gcra, slot, now);
		bpf_ringbuf_output(&alerts, &alert, sizeof(alert), BPF_RB_FORCE_WAKEUP);
	}
	arming->armed_until_ns = now + ARMING_QUIET_NS;
	if (kind == ARMING_SYNS)
		arming_until(&any->syns_until_ns, now);
	arming_until(&any->any_until_ns, now);
}

/* The port is busy now. */
static __always_inline void arming_arm(const struct arming_use *use)
{
	if (use->arming->armed_until_ns + ARMING_RENEW_NS < use->now + ARMING_QUIET_NS)
		arming_arm_anew(use->gcra, use->slot, use->port, use->now, use->kind);
}

/* Whether the budget admits one more; takes it. */
static __always_inline int arming_charge(const struct arming_use *use)
{
	return arming_spend(&use->tokens->whole, use->batch, &use->arming->tat_ns, use->batch_ns, use->now);
}

/* Whether arming_charge() would admit one more. */
static __always_inline int arming_has_room(const struct arming_use *use)
{
	return !arming_is_spent(use->tokens->whole, use->batch) ||
	       arming_next_tat(use->arming->tat_ns, use->batch_ns, use->now);
}

static __always_inline int arming_is_armed(const struct arming_use *use)
{
	return use->arming->armed_until_ns >= use->now;
}

/* Counts one towards half the budget of an armed port; over it, the port stays armed. */
static __always_inline void arming_keep(const struct arming_use *use)
{
	if (!arming_spend(&use->tokens->half, use->batch, &use->arming->half_tat_ns, use->batch_ns * 2, use->now))
		arming_arm(use);
}

#endif
