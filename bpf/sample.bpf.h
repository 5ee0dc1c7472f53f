/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of the first SYNs to a port that was armed, for a person to look at. The memory is fixed, and once it is full
 * only a compare is left on the path. Ports that share a sample, by their slots, take it from one another: what counts
 * is the one that was armed last.
 */
#ifndef SYNWARDEN_SAMPLE_H
#define SYNWARDEN_SAMPLE_H

#include "syn.bpf.h"

/* The port is armed from now on. */
static __always_inline void sample_begin(struct port_gcra *gcra, __u32 slot, __u64 now)
{
	__u32 key = slot & (SYN_SAMPLES - 1);
	struct syn_sample *sample = bpf_map_lookup_elem(&samples, &key);

	if (!sample)
		return;
	sample->armed_ns = now;
	sample->slot = slot;
	sample->taken = 0;
	gcra->sampled = 1;
}

/*
 * Each takes another place, so one CPU alone copies to it; but while the sample begins anew, one that is late may share
 * a place with the first of the new ones. A reader takes no SYN without its time.
 */
static __noinline int sample_take(struct xdp_md *ctx, struct port_gcra *gcra, __u32 slot, __u32 frame_len, __u64 now)
{
	__u32 key = slot & (SYN_SAMPLES - 1), at, len = frame_len;
	struct syn_sample *sample = bpf_map_lookup_elem(&samples, &key);
	struct sampled_syn *syn;

	if (!sample || !gcra)
		return 0;
	if (sample->slot != slot || sample->taken >= SYN_SAMPLE_SIZE) {
		gcra->sampled = 0;
		return 0;
	}
	at = __sync_fetch_and_add(&sample->taken, 1);
	if (at >= SYN_SAMPLE_SIZE)
		return 0;
	syn = &sample->syns[at];
	if (len > SYN_SAMPLE_BYTES)
		len = SYN_SAMPLE_BYTES;
	if (len < sizeof(struct ethhdr))
		return 0;
	barrier_var(len); /* the compiler compares copies of it, of which the verifier of Linux 6.1 learns nothing */
	len = ((len - 1) & (SYN_SAMPLE_BYTES - 1)) + 1;
	if (bpf_xdp_load_bytes(ctx, 0, syn->bytes, len))
		return 0;
	syn->len = frame_len;
	syn->copied = len;
	barrier();
	syn->time_ns = now;
	return 0;
}

/* A SYN to an armed port. */
static __always_inline void sample_syn(const struct syn *s)
{
	if (s->gcra->sampled)
		sample_take(s->ctx, s->gcra, s->slot, s->pkt->frame_len, s->now);
}

#endif
