/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer to a SYN: a SYN-ACK with a cookie, and the client's options as far as a cookie can keep them. It is built
 * in the scratch and then written over the SYN.
 */
#ifndef SYNWARDEN_SYNACK_H
#define SYNWARDEN_SYNACK_H

#include "maps.bpf.h"
#include "parse.bpf.h"
#include "scratch.bpf.h"

/* Where the kernel keeps what it cannot store in the cookie: the low bits of the timestamp (net/ipv4/syncookies.c). */
#define TS_WSCALE_NONE 0xf
#define TS_SACK	       0x10
#define TS_ECN	       0x20
#define TS_BITS	       6

#define TCP_ECE 0x40
#define TCP_CWR 0x80
#define IP_ECN	0x03

#define DEFAULT_TTL 64

#define OPT_END	   0
#define OPT_NOP	   1
#define OPT_MSS	   2
#define OPT_WSCALE 3
#define OPT_SACK   4
#define OPT_TIME   8
#define OPT_MD5	   19 /* RFC 2385 */
#define OPT_AO	   29 /* RFC 5925 */

#define OPTIONS_TAIL 5	/* in fewer bytes the kernel looks for no signature, and minds no impossible length */
#define STAMP_BYTES  12 /* that timestamps take of each segment */

#define OPTIONS_MAX 20 /* options that are read; 40 bytes hold no more that have a meaning */

/* What the client offered. */
struct syn_options {
	__u32 tsval;
	__u8 timestamps;
	__u8 sack;
	__u8 wscale; /* TS_WSCALE_NONE: none */
};

struct cookie {
	__u32 value;
	__u8 plain;	/* 1: the listener's own buffer or window decides the window scale, so none is offered */
	__u32 space;	/* receive buffer of such a listener, bytes; 0: the default */
	__s16 ttl;	/* TTL or hop limit of the listener's packets; below 0: the default */
	__u8 tos;	/* TOS or traffic class of them */
	__u8 hop_limit; /* the default of IPv6; 0: unknown */
};

/*
 * Notes where each kind of option stands in the header. Few paths and index values keep the verifier's work small: the
 * options themselves are read after the loop.
 */
static __always_inline void synack_find_options(struct scratch *s, __u32 len)
{
	__u32 at = sizeof(struct tcphdr), i, size;
	__u8 kind;

	__builtin_memset(s->option_at, 0, sizeof(s->option_at));
	s->options_bad = 0;
	for (i = 0; i < OPTIONS_MAX; i++) {
		at &= 63;
		kind = s->tcp[at];
		if (at >= len || kind == OPT_END)
			break;
		size = kind == OPT_NOP ? 1 : s->tcp[(at + 1) & 63];
		if ((size < 2 && kind != OPT_NOP) || at + size > len) {
			s->options_bad = at + OPTIONS_TAIL <= len;
			break;
		}
		s->option_at[kind & 31] = kind < 32 ? at : s->option_at[kind & 31];
		at += size;
	}
}

static __always_inline int synack_has(const struct scratch *s, __u8 kind, __u8 size)
{
	__u32 at = s->option_at[kind] & 63;

	return at && s->tcp[(at + 1) & 63] == size;
}

static __always_inline void synack_options(const struct scratch *s, struct syn_options *o)
{
	__u32 at;

	o->sack = synack_has(s, OPT_SACK, 2);
	o->wscale = TS_WSCALE_NONE;
	if (synack_has(s, OPT_WSCALE, 3)) {
		o->wscale = s->tcp[(s->option_at[OPT_WSCALE] + 2) & 63];
		if (o->wscale > 14) /* RFC 7323 section 2.3 */
			o->wscale = 14;
	}
	o->timestamps = synack_has(s, OPT_TIME, 10);
	at = s->option_at[OPT_TIME];
	o->tsval = (__u32)s->tcp[(at + 2) & 63] << 24 | s->tcp[(at + 3) & 63] << 16 | s->tcp[(at + 4) & 63] << 8 |
		   s->tcp[(at + 5) & 63];
}

static __always_inline __u16 synack_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The time now in the kernel's timestamp unit (ms), with what the cookie cannot hold in its low bits; never in the
 * future. */
static __always_inline __u32 synack_timestamp(__u32 options)
{
	__u32 now = bpf_ktime_get_coarse_ns() / 1000000, stamp = now >> TS_BITS << TS_BITS | options;

	return stamp > now ? stamp - (1 << TS_BITS) : stamp;
}

/* TOS or traffic class of the SYN. */
static __always_inline __u8 synack_syn_tos(const struct packet *pkt, const struct scratch *s)
{
	if (parse_is_v4(&pkt->saddr))
		return s->ip[sizeof(s->ip) - sizeof(struct iphdr) + 1];
	return s->ip[0] << 4 | s->ip[1] >> 4;
}

/* ECN is declined where the SYN itself is ECN-capable, unless a reserved bit shows what it means (the kernel's
 * tcp_ecn_create_request()). */
static __always_inline int synack_wants_ecn(const struct packet *pkt, const struct scratch *s)
{
	if ((s->tcp[13] & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR))
		return 0;
	return !(synack_syn_tos(pkt, s) & IP_ECN) || s->tcp[12] & 0x0f;
}

/* Fills the reply's TCP header without its checksum; returns its length in 32-bit words. */
static __always_inline __u32 synack_tcp(__be32 *w, const struct packet *pkt, struct scratch *s,
					const struct cookie *cookie, const struct cookie_policy *policy, __u32 mss)
{
	const struct tcphdr *syn = (const void *)s->tcp;
	struct syn_options o = {};
	__u32 flags = TCP_SYN | TCP_ACK, len = 6, window = 65535;

	if (cookie->space && cookie->space < window)
		window = cookie->space;
	w[0] = (__be32)syn->dest | (__be32)syn->source << 16;
	w[1] = bpf_htonl(cookie->value);
	w[2] = bpf_htonl(bpf_ntohl(syn->seq) + 1);
	w[4] = 0;
	w[5] = bpf_htonl(OPT_MSS << 24 | 4 << 16 | mss);
	if (policy && policy->timestamps && !cookie->plain)
		synack_options(s, &o);
	if (policy && o.timestamps) {
		int scaled = policy->scaling && o.wscale != TS_WSCALE_NONE, sack = policy->sack && o.sack;
		__u32 kept = scaled ? o.wscale : TS_WSCALE_NONE;

		kept |= sack ? TS_SACK : 0;
		if (policy->ecn && synack_wants_ecn(pkt, s)) {
			kept |= TS_ECN;
			flags |= TCP_ECE;
		}
		w[6] = bpf_htonl((sack ? OPT_SACK << 24 | 2 << 16 : OPT_NOP << 24 | OPT_NOP << 16) | OPT_TIME << 8 |
				 10);
		w[7] = bpf_htonl(synack_timestamp(kept));
		w[8] = bpf_htonl(o.tsval);
		w[9] = bpf_htonl(OPT_NOP << 24 | OPT_WSCALE << 16 | 3 << 8 | policy->wscale);
		len = scaled ? 10 : 9;
	}
	if (len > 6)
		mss -= STAMP_BYTES;
	if (window > mss)
		window -= window % mss;
	w[3] = bpf_htonl(len << 28 | flags << 16 | window);
	return len;
}

/* The sum over the pseudo-header of a segment of `len` bytes, in either direction; not folded (RFC 8200 section 8.1).
 */
static __always_inline __u64 synack_pseudo_sum(const struct packet *pkt, __u32 len)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP << 16 | len);
	int i;

#pragma unroll
	for (i = 0; i < 4; i++) /* of a v4-mapped address the rest is 0xffff, which is nothing in ones' complement */
		sum += (__u64)pkt->saddr.words[i] + pkt->daddr.words[i];
	return sum;
}

/* The checksum over the first `len` words of a TCP header and its pseudo-header (RFC 9293 section 3.1). */
static __always_inline __u16 synack_tcp_sum(const __be32 *w, __u32 len, const struct packet *pkt)
{
	__u64 sum = synack_pseudo_sum(pkt, len * 4);
	int i;

#pragma unroll
	for (i = 0; i < 10; i++)
		if (i < 6 || (__u32)i < len)
			sum += w[i];
	return synack_fold(sum);
}

static __always_inline void synack_ipv4(__be32 *w, const struct packet *pkt, __u32 len, __u32 ttl, __u32 tos)
{
	__u64 sum;

	w[0] = bpf_htonl(4 << 28 | 5 << 24 | tos << 16 | (sizeof(struct iphdr) + len));
	w[1] = bpf_htonl(0x4000); /* don't fragment */
	w[2] = bpf_htonl(ttl << 24 | IPPROTO_TCP << 16);
	w[3] = pkt->daddr.words[3];
	w[4] = pkt->saddr.words[3];
	sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
	w[2] |= (__be32)synack_fold(sum) << 16;
}

static __always_inline void synack_ipv6(__be32 *w, const struct packet *pkt, __u32 len, __u32 ttl, __u32 tos)
{
	int i;

	w[0] = bpf_htonl(6 << 28 | tos << 20);
	w[1] = bpf_htonl(len << 16 | IPPROTO_TCP << 8 | ttl);
#pragma unroll
	for (i = 0; i < 4; i++) {
		w[2 + i] = pkt->daddr.words[i];
		w[6 + i] = pkt->saddr.words[i];
	}
}

static __always_inline void synack_swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/* Writes `count` words, a constant where this is inlined; 0 where the frame ends before that. */
static __always_inline int synack_put(void **at, void *end, const __be32 *words, __u32 count)
{
	if (*at + count * 4 > end)
		return 0;
	__builtin_memcpy(*at, words, count * 4);
	*at += count * 4;
	return 1;
}

/* Resizes the frame to the reply and writes the reply; VLAN tags stay. 0: there is no room. */
static __always_inline int synack_write(struct xdp_md *ctx, const struct packet *pkt, const __be32 *ip, __u32 ip_len,
					const __be32 *tcp, __u32 tcp_len)
{
	__u32 offset = pkt->ip_at & 63; /* less, as the parser has checked; repeated for the verifier */
	void *at, *end;

	if (bpf_xdp_adjust_tail(ctx, (int)(offset + ip_len + tcp_len) - (int)pkt->frame_len))
		return 0;
	at = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (at + sizeof(struct ethhdr) > end)
		return 0;
	synack_swap_macs(at);
	at += offset;
	if (!(ip_len == sizeof(struct iphdr) ? synack_put(&at, end, ip, 5) : synack_put(&at, end, ip, 10)))
		return 0;
	if (tcp_len == 24)
		return synack_put(&at, end, tcp, 6);
	return tcp_len == 36 ? synack_put(&at, end, tcp, 9) : synack_put(&at, end, tcp, 10);
}

/* The IP header of a reply with `len` bytes behind it; TTL and TOS as the kernel's own answer would have them, but for
 * what a route says. */
static __always_inline void synack_ip(const struct packet *pkt, struct scratch *s, const struct cookie *cookie,
				      const struct cookie_policy *policy, __u32 len)
{
	__u32 tos = cookie->tos, ttl = DEFAULT_TTL;
	int ip4 = parse_is_v4(&pkt->saddr);

	if (policy && policy->reflect_tos)
		tos = (synack_syn_tos(pkt, s) & ~IP_ECN) | (tos & IP_ECN);
	if (cookie->ttl >= 0)
		ttl = cookie->ttl;
	else if (ip4 && policy && policy->ttl)
		ttl = policy->ttl;
	else if (!ip4 && cookie->hop_limit)
		ttl = cookie->hop_limit;
	if (ip4)
		synack_ipv4(s->reply_ip, pkt, len, ttl & 0xff, tos & 0xff);
	else
		synack_ipv6(s->reply_ip, pkt, len, ttl & 0xff, tos & 0xff);
}

/* The MSS that is offered, from the interface's MTU; 0: the MTU is too small. */
static __always_inline __u32 synack_mss(struct xdp_md *ctx, const struct packet *pkt)
{
	__u32 headers = scratch_ip_len(pkt) + sizeof(struct tcphdr), mtu = 0;

	bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	return mtu < headers + 64 ? 0 : mtu - headers;
}

/* Writes the answer over the SYN, whose headers are in the scratch. 0: there is no room for it. */
static __always_inline int synack_send(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s,
				       const struct cookie *cookie)
{
	__u32 ip_len = scratch_ip_len(pkt), words, mss = synack_mss(ctx, pkt), key = 0;
	const struct cookie_policy *policy = bpf_map_lookup_elem(&cookie_policy, &key);

	if (!mss)
		return 0;
	words = synack_tcp(s->reply_tcp, pkt, s, cookie, policy, mss);
	s->reply_tcp[4] = synack_tcp_sum(s->reply_tcp, words, pkt);
	synack_ip(pkt, s, cookie, policy, words * 4);
	return synack_write(ctx, pkt, s->reply_ip, ip_len, s->reply_tcp, words * 4);
}

#endif
