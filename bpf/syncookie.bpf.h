/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The challenge: a SYN over budget is answered from here with a SYN cookie that the kernel itself will accept, and what
 * comes back is checked. The engine (which makes and checks cookies) is bpf_tcp_gen_syncookie() and its counterpart; it
 * stands behind syncookie_make() and syncookie_check().
 */
#ifndef SYNWARDEN_SYNCOOKIE_H
#define SYNWARDEN_SYNCOOKIE_H

#include <linux/errno.h>

#include "parse.bpf.h"
#include "report.bpf.h"

#define SOCK_RCVBUF_LOCK 2 /* include/net/sock.h */

/* Where the kernel keeps what it cannot store in the cookie: the low bits of the timestamp (net/ipv4/syncookies.c). */
#define TS_WSCALE_NONE 0xf
#define TS_SACK	       0x10
#define TS_ECN	       0x20
#define TS_BITS	       6

#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define OPT_END	   0
#define OPT_NOP	   1
#define OPT_MSS	   2
#define OPT_WSCALE 3
#define OPT_SACK   4
#define OPT_TIME   8

#define OPTIONS_MAX 20 /* options of a SYN that are looked at; 40 bytes hold at most that many that mean anything */

/* What the client offered. */
struct syn_options {
	__u32 tsval;
	__u8 timestamps;
	__u8 sack;
	__u8 wscale; /* TS_WSCALE_NONE: none */
};

struct cookie {
	__u32 value;
	__u8 plain;  /* 1: the listener's own buffer or window decides the window scale, so none is offered */
	__u32 space; /* receive buffer of such a listener, bytes; 0: the default */
};

/* The socket that the kernel would give this segment to if it came from `saddr` and `sport`; to be released. */
static __always_inline struct bpf_sock *syncookie_look_up(struct xdp_md *ctx, const struct packet *pkt,
							  const struct addr *saddr, __u16 sport)
{
	struct bpf_sock_tuple tuple = {};

	if (parse_is_v4(&pkt->saddr)) {
		tuple.ipv4.saddr = saddr->words[3];
		tuple.ipv4.daddr = pkt->daddr.words[3];
		tuple.ipv4.sport = bpf_htons(sport);
		tuple.ipv4.dport = bpf_htons(pkt->dport);
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, saddr->words, sizeof(tuple.ipv6.saddr));
	__builtin_memcpy(tuple.ipv6.daddr, pkt->daddr.words, sizeof(tuple.ipv6.daddr));
	tuple.ipv6.sport = bpf_htons(sport);
	tuple.ipv6.dport = bpf_htons(pkt->dport);
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

static __always_inline struct bpf_sock *syncookie_socket(struct xdp_md *ctx, const struct packet *pkt)
{
	return syncookie_look_up(ctx, pkt, &pkt->saddr, pkt->sport);
}

/* Whether another sender might come to another listener: of a group (SO_REUSEPORT), or by a program (BPF_SK_LOOKUP). */
static __always_inline int syncookie_depends_on_sender(struct bpf_sock *listener)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(listener);
	const struct sock_common *sk;

	if (!tcp)
		return 1;
	sk = &tcp->inet_conn.icsk_inet.sk.__sk_common;
	/* NOLINTNEXTLINE(clang-analyzer-core*) */
	return BPF_CORE_READ_BITFIELD(sk, skc_reuseport) || sk->skc_net.net->bpf.run_array[NETNS_BPF_SK_LOOKUP];
}

/* The same for a SYN. Of a stranger it can only be a listener, so no sender is looked for among the connections. */
static __always_inline struct bpf_sock *syncookie_syn_socket(struct xdp_md *ctx, const struct packet *pkt)
{
	const struct addr nobody = {};
	struct bpf_sock *listener;

	if (pkt->stranger) {
		listener = syncookie_look_up(ctx, pkt, &nobody, 0);
		if (listener && !syncookie_depends_on_sender(listener))
			return listener;
		if (listener)
			bpf_sk_release(listener);
	}
	return syncookie_socket(ctx, pkt);
}

/* 20 to 60, which the parser has seen to; said again for the verifier. */
static __always_inline __u32 syncookie_tcp_len(const struct packet *pkt)
{
	__u32 len = pkt->tcp_len & 63;

	return len < sizeof(struct tcphdr) ? sizeof(struct tcphdr) : len;
}

static __always_inline __u32 syncookie_ip_len(const struct packet *pkt)
{
	return parse_is_v4(&pkt->saddr) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __always_inline void *syncookie_ip(struct scratch *s, __u32 ip_len)
{
	return s->ip + sizeof(s->ip) - ip_len;
}

/* The scratch of this CPU, until it is given back; NULL: it is taken. */
static __always_inline struct scratch *syncookie_take(void)
{
	__u32 key = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);

	return s && cfg.preempts && __sync_lock_test_and_set(&s->taken, 1) ? 0 : s;
}

static __always_inline void syncookie_give(struct scratch *s)
{
	barrier();
	if (cfg.preempts)
		s->taken = 0;
}

/*
 * Copies both headers to where the helpers and the option parser may read them; 0 where they are not all there. What
 * may stand between them is of no interest.
 */
static __always_inline int syncookie_headers(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s)
{
	__u32 ip_len = syncookie_ip_len(pkt), tcp_len = syncookie_tcp_len(pkt);

	if (pkt->tcp_at == pkt->ip_at + ip_len)
		return !bpf_xdp_load_bytes(ctx, pkt->ip_at, syncookie_ip(s, ip_len), ip_len + tcp_len);
	return !bpf_xdp_load_bytes(ctx, pkt->ip_at, syncookie_ip(s, ip_len), ip_len) &&
	       !bpf_xdp_load_bytes(ctx, pkt->tcp_at, s->tcp, tcp_len);
}

/*
 * The engine's first half. REASON_MAX: the cookie is made, and the kernel told to expect it. A dry run, which must not
 * tell it, ends with CHALLENGED instead.
 */
static __always_inline enum reason syncookie_make(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s,
						  struct cookie *cookie)
{
	struct bpf_sock *listener = syncookie_syn_socket(ctx, pkt);
	struct tcp_sock *tcp;
	struct sock *sk;
	__s64 made = 0;
	int full = 0;

	if (!listener)
		return REASON_NOT_SERVED;
	if (listener->state != STATE_LISTEN) {
		bpf_sk_release(listener);
		return REASON_KNOWN;
	}
	tcp = bpf_skc_to_tcp_sock(listener);
	if (tcp) {
		sk = &tcp->inet_conn.icsk_inet.sk;
		full = sk->sk_ack_backlog > sk->sk_max_ack_backlog;
		/* The macro's switch knows every size that a field can have. NOLINTNEXTLINE(clang-analyzer-core*) */
		cookie->plain = !!(BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_RCVBUF_LOCK);
		cookie->space = cookie->plain ? (__u32)sk->sk_rcvbuf / 2 : 0;
		cookie->plain |= !!tcp->window_clamp;
	}
	if (!full && !cfg.dry_run)
		made = bpf_tcp_gen_syncookie(listener, syncookie_ip(s, syncookie_ip_len(pkt)), syncookie_ip_len(pkt),
					     (void *)s->tcp, syncookie_tcp_len(pkt));
	bpf_sk_release(listener);
	cookie->value = made;
	if (full) /* the kernel would make no cookie either */
		return REASON_ACCEPT_FULL;
	if (made < 0)
		return REASON_UNREADY;
	return cfg.dry_run ? REASON_CHALLENGED : REASON_MAX;
}

/*
 * Where each kind of option stands in the header. The loop has few paths and the index few values, for the verifier:
 * what is there is looked at behind it.
 */
static __always_inline void syncookie_find_options(struct scratch *s, __u32 len)
{
	__u32 at = sizeof(struct tcphdr), i, size;
	__u8 kind;

	__builtin_memset(s->option_at, 0, sizeof(s->option_at));
	for (i = 0; i < OPTIONS_MAX; i++) {
		at &= 63;
		kind = s->tcp[at];
		if (at >= len || kind == OPT_END)
			break;
		size = kind == OPT_NOP ? 1 : s->tcp[(at + 1) & 63];
		if (!size || at + size > len)
			break;
		s->option_at[kind & 15] = kind < 16 ? at : s->option_at[kind & 15];
		at += size;
	}
}

static __always_inline int syncookie_has(const struct scratch *s, __u8 kind, __u8 size)
{
	__u32 at = s->option_at[kind] & 63;

	return at && s->tcp[(at + 1) & 63] == size;
}

static __always_inline void syncookie_options(struct scratch *s, __u32 len, struct syn_options *o)
{
	__u32 at;

	syncookie_find_options(s, len);
	o->sack = syncookie_has(s, OPT_SACK, 2);
	o->wscale = TS_WSCALE_NONE;
	if (syncookie_has(s, OPT_WSCALE, 3)) {
		o->wscale = s->tcp[(s->option_at[OPT_WSCALE] + 2) & 63];
		if (o->wscale > 14) /* RFC 7323 section 2.3 */
			o->wscale = 14;
	}
	o->timestamps = syncookie_has(s, OPT_TIME, 10);
	at = s->option_at[OPT_TIME];
	o->tsval = (__u32)s->tcp[(at + 2) & 63] << 24 | s->tcp[(at + 3) & 63] << 16 | s->tcp[(at + 4) & 63] << 8 |
		   s->tcp[(at + 5) & 63];
}

static __always_inline __u16 syncookie_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The time now in the kernel's timestamp unit (ms), with what the cookie cannot hold in its low bits; never in the
 * future. */
static __always_inline __u32 syncookie_timestamp(__u32 options)
{
	__u32 now = bpf_ktime_get_ns() / 1000000, stamp = now >> TS_BITS << TS_BITS | options;

	return stamp > now ? stamp - (1 << TS_BITS) : stamp;
}

/* Fills the reply's TCP header without its checksum; returns its length in 32-bit words. */
static __always_inline __u32 syncookie_reply_tcp(__be32 *w, const struct packet *pkt, struct scratch *s,
						 const struct cookie *cookie, __u32 mss)
{
	const struct tcphdr *syn = (const void *)s->tcp;
	struct syn_options o = {};
	__u32 key = 0, flags = TCP_SYN | TCP_ACK, len = 6, window = 65535;
	const struct cookie_policy *policy = bpf_map_lookup_elem(&cookie_policy, &key);

	if (cookie->space && cookie->space < window)
		window = cookie->space;
	if (window > mss)
		window -= window % mss;
	w[0] = (__be32)syn->dest | (__be32)syn->source << 16;
	w[1] = bpf_htonl(cookie->value);
	w[2] = bpf_htonl(bpf_ntohl(syn->seq) + 1);
	w[4] = 0;
	w[5] = bpf_htonl(OPT_MSS << 24 | 4 << 16 | mss);
	if (policy && policy->timestamps && !cookie->plain)
		syncookie_options(s, syncookie_tcp_len(pkt), &o);
	if (policy && o.timestamps) {
		int scaled = policy->scaling && o.wscale != TS_WSCALE_NONE, sack = policy->sack && o.sack;
		__u32 kept = scaled ? o.wscale : TS_WSCALE_NONE;

		kept |= sack ? TS_SACK : 0;
		if (policy->ecn && (((const __u8 *)syn)[13] & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR)) {
			kept |= TS_ECN;
			flags |= TCP_ECE;
		}
		w[6] = bpf_htonl((sack ? OPT_SACK << 24 | 2 << 16 : OPT_NOP << 24 | OPT_NOP << 16) | OPT_TIME << 8 |
				 10);
		w[7] = bpf_htonl(syncookie_timestamp(kept));
		w[8] = bpf_htonl(o.tsval);
		w[9] = bpf_htonl(OPT_NOP << 24 | (scaled ? OPT_WSCALE << 16 | 3 << 8 | policy->wscale
							 : OPT_NOP << 16 | OPT_NOP << 8 | OPT_NOP));
		len = 10;
	}
	w[3] = bpf_htonl(len << 28 | flags << 16 | window);
	return len;
}

/* The checksum over the first `len` words of a TCP header and its pseudo-header (RFC 9293 section 3.1, RFC 8200 8.1).
 */
static __always_inline __u16 syncookie_tcp_sum(const __be32 *w, __u32 len, const struct packet *pkt)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP << 16 | len * 4);
	int i;

#pragma unroll
	for (i = 0; i < 10; i++)
		if (i < 6 || len == 10)
			sum += w[i];
#pragma unroll
	for (i = 0; i < 4; i++) /* of a v4-mapped address the rest is 0xffff, which is nothing in ones' complement */
		sum += (__u64)pkt->saddr.words[i] + pkt->daddr.words[i];
	return syncookie_fold(sum);
}

static __always_inline void syncookie_reply_v4(__be32 *w, const struct packet *pkt, __u32 len)
{
	__u64 sum;

	w[0] = bpf_htonl(4 << 28 | 5 << 24 | (sizeof(struct iphdr) + len));
	w[1] = bpf_htonl(0x4000); /* don't fragment */
	w[2] = bpf_htonl(64 << 24 | IPPROTO_TCP << 16);
	w[3] = pkt->daddr.words[3];
	w[4] = pkt->saddr.words[3];
	sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
	w[2] |= (__be32)syncookie_fold(sum) << 16;
}

static __always_inline void syncookie_reply_v6(__be32 *w, const struct packet *pkt, __u32 len)
{
	int i;

	w[0] = bpf_htonl(6 << 28);
	w[1] = bpf_htonl(len << 16 | IPPROTO_TCP << 8 | 64);
#pragma unroll
	for (i = 0; i < 4; i++) {
		w[2 + i] = pkt->daddr.words[i];
		w[6 + i] = pkt->saddr.words[i];
	}
}

static __always_inline void syncookie_swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/* Writes `count` words, a constant where this is inlined; 0 where the frame ends before that. */
static __always_inline int syncookie_put(void **at, void *end, const __be32 *words, __u32 count)
{
	if (*at + count * 4 > end)
		return 0;
	__builtin_memcpy(*at, words, count * 4);
	*at += count * 4;
	return 1;
}

/* Makes the frame as long as the reply, and writes it there; the VLAN tags stay. 0 where there is no room. */
static __always_inline int syncookie_write(struct xdp_md *ctx, const struct packet *pkt, const __be32 *ip, __u32 ip_len,
					   const __be32 *tcp, __u32 tcp_len)
{
	__u32 offset = pkt->ip_at & 63; /* the parser has seen to less; said again for the verifier */
	void *at, *end;

	if (bpf_xdp_adjust_tail(ctx, (int)(offset + ip_len + tcp_len) - (int)bpf_xdp_get_buff_len(ctx)))
		return 0;
	at = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (at + sizeof(struct ethhdr) > end)
		return 0;
	syncookie_swap_macs(at);
	at += offset;
	if (!(ip_len == sizeof(struct iphdr) ? syncookie_put(&at, end, ip, 5) : syncookie_put(&at, end, ip, 10)))
		return 0;
	return tcp_len == 24 ? syncookie_put(&at, end, tcp, 6) : syncookie_put(&at, end, tcp, 10);
}

static __always_inline enum reason syncookie_answer(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s)
{
	__u32 ip_len = syncookie_ip_len(pkt), words, mtu = 0;
	struct cookie cookie = {};
	enum reason reason;

	if (!syncookie_headers(ctx, pkt, s))
		return REASON_PORT_BUDGET;
	reason = syncookie_make(ctx, pkt, s, &cookie);
	if (reason != REASON_MAX)
		return reason;
	bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	if (mtu < ip_len + sizeof(struct tcphdr) + 64)
		return REASON_PORT_BUDGET;
	words = syncookie_reply_tcp(s->reply_tcp, pkt, s, &cookie, mtu - ip_len - sizeof(struct tcphdr));
	s->reply_tcp[4] = syncookie_tcp_sum(s->reply_tcp, words, pkt);
	if (ip_len == sizeof(struct iphdr))
		syncookie_reply_v4(s->reply_ip, pkt, words * 4);
	else
		syncookie_reply_v6(s->reply_ip, pkt, words * 4);
	return syncookie_write(ctx, pkt, s->reply_ip, ip_len, s->reply_tcp, words * 4) ? REASON_CHALLENGED
										       : REASON_PORT_BUDGET;
}

/*
 * Answers the SYN; CHALLENGED where the reply stands in the frame, or in a dry run would. A global function, as
 * syncookie_check() is, so that the verifier goes through it once and not for each way to get here.
 */
__noinline int syncookie_challenge(struct xdp_md *ctx, const struct packet *pkt)
{
	enum reason reason;
	struct scratch *s;

	if (!pkt || pkt->fragmented)
		return REASON_PORT_BUDGET;
	s = syncookie_take();
	if (!s)
		return REASON_PORT_BUDGET;
	reason = syncookie_answer(ctx, pkt, s);
	syncookie_give(s);
	return reason;
}

static __always_inline enum reason syncookie_stray(const struct packet *pkt)
{
	if (pkt->flags & TCP_RST)
		return REASON_STRAY_RST;
	return pkt->flags & TCP_FIN ? REASON_STRAY_FIN : REASON_STRAY_ACK;
}

/* Of what reaches a listener. The cookie is noted in the packet. Where the scratch is taken, the kernel may judge. */
static __always_inline enum reason syncookie_judge(struct xdp_md *ctx, struct packet *pkt, struct bpf_sock *sk)
{
	__u32 ip_len = syncookie_ip_len(pkt);
	struct scratch *s;
	int valid;

	if (!(pkt->flags & TCP_ACK) || pkt->flags & (TCP_SYN | TCP_RST))
		return syncookie_stray(pkt);
	s = syncookie_take();
	if (!s)
		return REASON_SEGMENT;
	valid = syncookie_headers(ctx, pkt, s) &&
		!bpf_tcp_check_syncookie(sk, syncookie_ip(s, ip_len), ip_len, (void *)s->tcp, sizeof(struct tcphdr));
	pkt->ack = ((const struct tcphdr *)s->tcp)->ack_seq;
	syncookie_give(s);
	return valid ? REASON_COOKIE_ACK : syncookie_stray(pkt);
}

/*
 * The engine's second half, for a segment to an armed port. SEGMENT: it belongs to a socket, or nobody listens there;
 * COOKIE_ACK: it carries a cookie that the kernel will accept.
 */
__noinline int syncookie_check(struct xdp_md *ctx, struct packet *pkt)
{
	enum reason reason = REASON_SEGMENT;
	struct bpf_sock *sk;

	if (!pkt)
		return REASON_SEGMENT;
	sk = syncookie_socket(ctx, pkt);
	if (!sk)
		return REASON_SEGMENT;
	if (sk->state == STATE_LISTEN)
		reason = syncookie_judge(ctx, pkt, sk);
	bpf_sk_release(sk);
	return reason;
}

#endif
