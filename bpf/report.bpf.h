/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways out: count a packet's reason and return its action, count a loss or a transition, send an event. Only alerts
 * leave elsewhere, in port_budget_arm_anew(): a lost one costs a second, as `run` then sees the port armed by itself.
 */
#ifndef SYNWARDEN_REPORT_H
#define SYNWARDEN_REPORT_H

#include "bits.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "ring.bpf.h"

static const __u8 report_actions[] = {
#define X(name, action, label, help) [REASON_##name] = XDP_##action,
	REASONS(X)
#undef X
};

static const __u8 report_verdicts[] = {
#define X(name, action, label, help) [REASON_##name] = VERDICT_##action,
	REASONS(X)
#undef X
};

/* The reason may come from a global function, whose result may be any number to the verifier. */
static __always_inline __u32 report_verdict_of(enum reason reason)
{
	__u32 key = reason;

	barrier_var(key);
	return key < REASON_MAX ? report_verdicts[key] : VERDICT_PASS;
}

/* Counts the packet (`len` bytes on the wire, without FCS) under its reason; without a counter it passes. */
static __always_inline int report_verdict(enum reason reason, __u32 len)
{
	__u32 key = reason;
	struct verdict_count *count = bpf_map_lookup_elem(&verdicts, &key);

	if (!count || key >= REASON_MAX)
		return XDP_PASS;
	count->packets++;
	count->bytes += len;
	return cfg.dry_run ? XDP_PASS : report_actions[key];
}

/* Atomic, because the tracker may be interrupted by itself on the same CPU. */
static __always_inline void report_add(__u64 *counter, __u64 n)
{
	__sync_fetch_and_add(counter, n);
}

/* Counts one more under `key` of a map of counters. */
static __always_inline void report_count(void *map, __u32 key)
{
	__u64 *count = bpf_map_lookup_elem(map, &key);

	if (count)
		report_add(count, 1);
}

static __always_inline void report_losses(enum loss loss, __u64 n)
{
	__u32 key = loss;
	__u64 *count = bpf_map_lookup_elem(&losses, &key);

	if (count)
		report_add(count, n);
}

static __always_inline void report_loss(enum loss loss)
{
	report_count(&losses, loss);
}

/* log2 of microseconds. */
static __always_inline __u32 report_slot(__u64 ns)
{
	__u64 slot = bits_log2(ns / 1000);

	barrier_var(slot); /* or it is compared as 32 bits, of which the verifier of Linux 6.1 learns no bound */
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

static __always_inline void report_tally(enum tally tally)
{
	report_count(&tallies, tally);
}

static __always_inline void report_duration(struct histogram *hist, __u64 ns)
{
	__u32 slot = report_slot(ns);

	if (!hist || slot >= HIST_SLOTS)
		return;
	report_add(&hist->slots[slot], 1);
	report_add(&hist->sum_ns, ns);
}

/* Counts a transition, and the duration of the state that it leaves. */
static __always_inline void report_transition(__u32 old, __u32 new, __u64 duration_ns)
{
	report_count(&transitions, old * STATE_MAX + new);
	if (duration_ns != DURATION_UNKNOWN)
		report_duration(bpf_map_lookup_elem(&durations, &old), duration_ns);
}

/* 0 is unknown, and not counted. */
static __always_inline void report_handshake(__u32 role, __u64 ns)
{
	if (ns)
		report_duration(bpf_map_lookup_elem(&handshakes, &role), ns);
}

static __always_inline void report_ending(__u32 ending, int established)
{
	report_count(&endings, ending + (established ? 0 : ENDING_MAX));
}

/* `size` bytes that begin with a struct event. */
static __always_inline void report_event(struct event *event, __u32 size)
{
	if (filter_wants(event) && ring_put(event, size))
		report_loss(LOSS_RING);
}

#endif
