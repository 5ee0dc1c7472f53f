/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers of the packet that is being judged, where the helpers and the option parser can read them by index, and those
 * of the reply. One a CPU; on PREEMPT_RT one packet's program can preempt another's there, which then goes without.
 */
#ifndef SYNWARDEN_SCRATCH_H
#define SYNWARDEN_SCRATCH_H

#include "maps.bpf.h"
#include "parse.bpf.h"
#include "segments.h"

/* The IP header ends where the TCP header begins. */
struct scratch {
	__u32 taken; /* 1: in use */
	__u8 ip[40];
	__u8 tcp[64];
	__u8 option_at[32]; /* by kind; 0: not there */
	__u8 options_bad;   /* 1: one of a length that cannot be */
	__be32 reply_ip[10];
	__be32 reply_tcp[10];
	struct segment told; /* to a ladder, see watch.bpf.h: the stack has no room for it */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* 20 to 60 bytes, as the parser has checked; repeated for the verifier. */
static __always_inline __u32 scratch_tcp_len(const struct packet *pkt)
{
	__u32 len = pkt->tcp_len & 63;

	return len < sizeof(struct tcphdr) ? sizeof(struct tcphdr) : len;
}

static __always_inline __u32 scratch_ip_len(const struct packet *pkt)
{
	return parse_is_v4(&pkt->saddr) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __always_inline void *scratch_ip(struct scratch *s, __u32 ip_len)
{
	return s->ip + sizeof(s->ip) - ip_len;
}

/* The scratch of this CPU, until scratch_give(); NULL: it is in use. */
static __always_inline struct scratch *scratch_take(void)
{
	__u32 key = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);

	return s && cfg.preempts && __sync_lock_test_and_set(&s->taken, 1) ? 0 : s;
}

static __always_inline void scratch_give(struct scratch *s)
{
	barrier();
	if (cfg.preempts)
		s->taken = 0;
}

/*
 * Copies both headers to where the helpers and the option parser can read them, without any headers between them; 0
 * where the frame does not hold them whole.
 */
static __always_inline int scratch_read(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s)
{
	__u32 ip_len = scratch_ip_len(pkt), tcp_len = scratch_tcp_len(pkt);

	if (pkt->tcp_at == pkt->ip_at + ip_len)
		return !bpf_xdp_load_bytes(ctx, pkt->ip_at, scratch_ip(s, ip_len), ip_len + tcp_len);
	return !bpf_xdp_load_bytes(ctx, pkt->ip_at, scratch_ip(s, ip_len), ip_len) &&
	       !bpf_xdp_load_bytes(ctx, pkt->tcp_at, s->tcp, tcp_len);
}

#endif
