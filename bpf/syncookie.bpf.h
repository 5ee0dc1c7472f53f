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
#include "synack.bpf.h"

#define SOCK_RCVBUF_LOCK 2 /* include/net/sock.h */

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

/* The socket for a SYN. A stranger's can only be a listener: that one is looked up without a sender, which has the CPU
 * look among the connections at one place, always the same. */
static __always_inline struct bpf_sock *syncookie_syn_socket(struct xdp_md *ctx, struct packet *pkt)
{
	const struct addr nobody = {};
	struct bpf_sock *listener;

	if (pkt->stranger) {
		listener = syncookie_look_up(ctx, pkt, &nobody, 0);
		if (listener && !syncookie_depends_on_sender(listener))
			return listener;
		if (listener) {
			pkt->by_sender = 1;
			bpf_sk_release(listener);
		}
	}
	return syncookie_socket(ctx, pkt);
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
	__u32 ip_len = synack_ip_len(pkt), tcp_len = synack_tcp_len(pkt);

	if (pkt->tcp_at == pkt->ip_at + ip_len)
		return !bpf_xdp_load_bytes(ctx, pkt->ip_at, syncookie_ip(s, ip_len), ip_len + tcp_len);
	return !bpf_xdp_load_bytes(ctx, pkt->ip_at, syncookie_ip(s, ip_len), ip_len) &&
	       !bpf_xdp_load_bytes(ctx, pkt->tcp_at, s->tcp, tcp_len);
}

/*
 * The engine's first half. REASON_MAX: the cookie is made, and the kernel told to expect it. A dry run, which must not
 * tell it, ends with CHALLENGED instead.
 */
static __always_inline enum reason syncookie_make(struct xdp_md *ctx, struct packet *pkt, struct scratch *s,
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
		made = bpf_tcp_gen_syncookie(listener, syncookie_ip(s, synack_ip_len(pkt)), synack_ip_len(pkt),
					     (void *)s->tcp, synack_tcp_len(pkt));
	bpf_sk_release(listener);
	cookie->value = made;
	if (full) /* the kernel would make no cookie either */
		return REASON_ACCEPT_FULL;
	if (made < 0)
		return REASON_UNREADY;
	return cfg.dry_run ? REASON_CHALLENGED : REASON_MAX;
}

static __always_inline enum reason syncookie_answer(struct xdp_md *ctx, struct packet *pkt, struct scratch *s)
{
	struct cookie cookie = {};
	enum reason reason;

	if (!syncookie_headers(ctx, pkt, s))
		return REASON_PORT_BUDGET;
	reason = syncookie_make(ctx, pkt, s, &cookie);
	if (reason != REASON_MAX)
		return reason;
	return synack_send(ctx, pkt, s, &cookie) ? REASON_CHALLENGED : REASON_PORT_BUDGET;
}

/*
 * Answers the SYN; CHALLENGED where the reply stands in the frame, or in a dry run would. A global function, as
 * syncookie_check() is, so that the verifier goes through it once and not for each way to get here.
 */
__noinline int syncookie_challenge(struct xdp_md *ctx, struct packet *pkt)
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
	__u32 ip_len = synack_ip_len(pkt);
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
