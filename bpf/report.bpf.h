/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only ways out: count a packet's reason and return its action, count a loss or a transition, send an event.
 */
#ifndef SYNWARDEN_REPORT_H
#define SYNWARDEN_REPORT_H

#include "maps.bpf.h"
#include "parse.bpf.h"

static const __u8 report_actions[] = {
#define X(name, action, label, help) [REASON_##name] = XDP_##action,
	REASONS(X)
#undef X
};

/* Counts the packet (`len` bytes on the wire, without FCS) under its reason. Never drops for want of a counter. */
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

static __always_inline void report_loss(enum loss loss)
{
	__u32 key = loss;
	__u64 *count = bpf_map_lookup_elem(&losses, &key);

	if (count)
		report_add(count, 1);
}

/* log2 of microseconds, by halves. */
static __always_inline __u32 report_slot(__u64 ns)
{
	__u64 us = ns / 1000;
	__u32 slot = 0, step;

#pragma unroll
	for (step = 32; step; step >>= 1) {
		if (us >> step) {
			us >>= step;
			slot += step;
		}
	}
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* Counts a transition, and how long the state that it leaves lasted. */
static __always_inline void report_transition(__u32 old, __u32 new, __u64 duration_ns)
{
	__u32 pair = old * STATE_MAX + new;
	__u64 *count = bpf_map_lookup_elem(&transitions, &pair);
	struct histogram *hist;
	__u32 slot;

	if (count)
		report_add(count, 1);
	if (duration_ns == DURATION_UNKNOWN)
		return;
	hist = bpf_map_lookup_elem(&durations, &old);
	slot = report_slot(duration_ns);
	if (!hist || slot >= HIST_SLOTS)
		return;
	report_add(&hist->slots[slot], 1);
	report_add(&hist->sum_ns, duration_ns);
}

static __always_inline int report_within(const struct addr *addr, const struct event_filter *f)
{
	return (addr->halves[0] & f->mask.halves[0]) == f->addr.halves[0] &&
	       (addr->halves[1] & f->mask.halves[1]) == f->addr.halves[1];
}

static __always_inline int report_wanted(const struct event *e)
{
	const struct event_filter f = cfg.filter;

	if (f.port && e->flow.lport != f.port && e->flow.rport != f.port)
		return 0;
	if (f.state && e->old != f.state && e->new != f.state)
		return 0;
	if (f.family && (f.family == 4) != parse_is_v4(&e->flow.laddr))
		return 0;
	return !f.by_addr || report_within(&e->flow.laddr, &f) || report_within(&e->flow.raddr, &f);
}

/* The reader polls by time; waking it for each event would cost more than the event. It is woken only past a fill. */
static __always_inline void report_event(struct event *event)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!report_wanted(event))
		return;
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > cfg.wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), flags))
		report_loss(LOSS_RING);
}

#endif
