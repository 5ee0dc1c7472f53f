/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only ways out: count a packet's reason and return its action, count a loss, send an event.
 */
#ifndef SYNWARDEN_REPORT_H
#define SYNWARDEN_REPORT_H

#include "maps.bpf.h"

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

/* The reader polls by time; waking it for each event would cost more than the event. It is woken only past a fill. */
static __always_inline void report_event(struct event *event)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > cfg.wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), flags))
		report_loss(LOSS_RING);
}

#endif
