/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The challenge: a SYN over budget is answered with a SYN cookie that the kernel itself will accept, and the answer to
 * it is checked. Cookies are made and checked by the kernel: bpf_tcp_gen_syncookie() behind syncookie_make(), its
 * counterpart behind syncookie_check(). Where a SYN cannot be answered, it is dropped, or passes if the kernel's own
 * settings are the cause (REASON_UNREADY). A segment that cannot be checked passes.
 */
#ifndef SYNWARDEN_SYNCOOKIE_H
#define SYNWARDEN_SYNCOOKIE_H

#include <linux/errno.h>

#include "parse.bpf.h"
#include "report.bpf.h"
#include "scratch.bpf.h"
#include "sound.bpf.h"
#include "synack.bpf.h"
#include "watch.bpf.h"

#define SOCK_RCVBUF_LOCK 2 /* include/net/sock.h */

/* What is known of a challenge, or of the answer to one, beside the packet. */
struct exchange {
	__u8 no_known_conn; /* in, of a SYN: its source has no connection here */
	__u8 per_sender;    /* out, of such a SYN: which listener it reaches may depend on its sender */
	__u8 hop_limit;	    /* in, of a SYN: that of IPv6 packets on the device; 0: unknown */
	__u8 sound;	    /* out, of an answer: without data, and its checksum is right */
	__be32 ack;	    /* out, of an answer: its acknowledgement number */
};

/* The socket that the kernel would find for this segment if it came from `saddr` and `sport`; to be released. */
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

/* Whether another sender might reach another listener: one of a group (SO_REUSEPORT), or chosen by a BPF_SK_LOOKUP
 * program. */
static __always_inline int syncookie_is_per_sender(const struct tcp_sock *tcp)
{
	const struct sock_common *sk;

	if (!tcp)
		return 1;
	sk = &tcp->inet_conn.icsk_inet.sk.__sk_common;
	/* NOLINTNEXTLINE(clang-analyzer-core*) */
	return BPF_CORE_READ_BITFIELD(sk, skc_reuseport) || sk->skc_net.net->bpf.run_array[NETNS_BPF_SK_LOOKUP];
}

/*
 * The socket for a SYN. Without a known connection it can only be a listener, which is looked up without a sender: the
 * kernel then reads one place of its connection table, always the same, which stays in the CPU's cache. `*tcp`: it,
 * with all of TCP's state, where it has that.
 */
static __always_inline struct bpf_sock *syncookie_syn_socket(struct xdp_md *ctx, const struct packet *pkt,
							     struct exchange *exchange, const struct tcp_sock **tcp)
{
	const struct addr none = {};
	struct bpf_sock *listener;

	if (exchange->no_known_conn) {
		listener = syncookie_look_up(ctx, pkt, &none, 0);
		*tcp = listener ? bpf_skc_to_tcp_sock(listener) : 0;
		if (listener && !syncookie_is_per_sender(*tcp))
			return listener;
		if (listener) {
			exchange->per_sender = 1;
			bpf_sk_release(listener);
		}
	}
	listener = syncookie_socket(ctx, pkt);
	*tcp = listener ? bpf_skc_to_tcp_sock(listener) : 0;
	return listener;
}

/* TTL and TOS of what the listener sends. */
static __always_inline void syncookie_route(const struct inet_sock *inet, int ip4, struct cookie *cookie)
{
	const struct ipv6_pinfo *np;

	if (ip4) {
		cookie->ttl = inet->uc_ttl;
		cookie->tos = inet->tos;
		return;
	}
	np = inet->pinet6;
	if (np) {
		/* A bit field before Linux 6.7. NOLINTNEXTLINE(clang-analyzer-core*) */
		cookie->ttl = BPF_CORE_READ_BITFIELD_PROBED(np, hop_limit);
		cookie->tos = BPF_CORE_READ(np, tclass);
	}
}

/*
 * A signed SYN is the kernel's to verify where the listener has keys; where it has none, the kernel drops it. One
 * without a signature may be of a peer without a key, and is challenged.
 */
static __always_inline enum reason syncookie_signature(const struct tcp_sock *tcp, const struct scratch *s)
{
	int md5 = s->option_at[OPT_MD5] && bpf_core_field_exists(tcp->md5sig_info),
	    ao = s->option_at[OPT_AO] && bpf_core_field_exists(tcp->ao_info);

	if (!md5 && !ao)
		return REASON_CHALLENGED;
	return (md5 && tcp->md5sig_info) || (ao && tcp->ao_info) ? REASON_SIGNED : REASON_UNANSWERABLE;
}

/* What the socket says to a SYN: KNOWN, ACCEPT_FULL, SIGNED, UNANSWERABLE or CHALLENGED. Fills in what the reply
 * depends on. */
static __always_inline enum reason syncookie_ask(struct bpf_sock *socket, const struct tcp_sock *tcp,
						 const struct packet *pkt, const struct scratch *s,
						 struct cookie *cookie)
{
	const struct sock *sk;

	cookie->ttl = -1;
	if (socket->state != STATE_LISTEN)
		return REASON_KNOWN;
	if (!tcp)
		return REASON_CHALLENGED;
	sk = &tcp->inet_conn.icsk_inet.sk;
	syncookie_route(&tcp->inet_conn.icsk_inet, parse_is_v4(&pkt->saddr), cookie);
	/* The macro's switch knows every size that a field can have. NOLINTNEXTLINE(clang-analyzer-core*) */
	cookie->plain = !!(BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_RCVBUF_LOCK);
	cookie->space = cookie->plain ? (__u32)sk->sk_rcvbuf / 2 : 0;
	cookie->plain |= !!tcp->window_clamp;
	/* The kernel makes no cookie either then (sk_acceptq_is_full()). */
	return sk->sk_ack_backlog > sk->sk_max_ack_backlog ? REASON_ACCEPT_FULL : syncookie_signature(tcp, s);
}

/* CHALLENGED: the cookie is made, and the kernel expects it back. A dry run makes none, but judges the same. */
static __always_inline enum reason syncookie_make(struct xdp_md *ctx, const struct packet *pkt,
						  struct exchange *exchange, struct scratch *s, struct cookie *cookie)
{
	const struct tcp_sock *tcp = 0;
	struct bpf_sock *socket = syncookie_syn_socket(ctx, pkt, exchange, &tcp);
	enum reason reason;
	__s64 made = 0;

	if (!socket)
		return REASON_NOT_SERVED;
	reason = syncookie_ask(socket, tcp, pkt, s, cookie);
	if (reason == REASON_CHALLENGED && !cfg.dry_run)
		made = bpf_tcp_gen_syncookie(socket, scratch_ip(s, scratch_ip_len(pkt)), scratch_ip_len(pkt),
					     (void *)s->tcp, scratch_tcp_len(pkt));
	bpf_sk_release(socket);
	cookie->value = made;
	return made < 0 ? REASON_UNREADY : reason;
}

/* Reads the SYN's headers and options into the scratch. CHALLENGED: the kernel would hand it to a listener. */
static __always_inline enum reason syncookie_read(struct xdp_md *ctx, const struct packet *pkt, struct scratch *s)
{
	__u32 ip_len = scratch_ip_len(pkt);

	if (!scratch_read(ctx, pkt, s))
		return REASON_PORT_BUDGET;
	synack_find_options(s, scratch_tcp_len(pkt));
	return sound_syn(pkt, s, scratch_ip(s, ip_len), ip_len) ? REASON_CHALLENGED : REASON_UNANSWERABLE;
}

static __always_inline enum reason syncookie_answer(struct xdp_md *ctx, const struct packet *pkt,
						    struct exchange *exchange, struct scratch *s)
{
	struct cookie cookie = {.hop_limit = exchange->hop_limit};
	enum reason reason;

	reason = syncookie_read(ctx, pkt, s);
	if (reason != REASON_CHALLENGED)
		return reason;
	reason = syncookie_make(ctx, pkt, exchange, s, &cookie);
	if (reason != REASON_CHALLENGED || cfg.dry_run)
		return reason;
	if (!synack_send(ctx, pkt, s, &cookie))
		return REASON_PORT_BUDGET;
	if (watch_find())
		watch_challenge(ctx, pkt);
	return REASON_CHALLENGED;
}

/*
 * Answers the SYN. CHALLENGED: the reply is in the frame, or in a dry run would. A global function, as
 * syncookie_check() is, so that the verifier goes through it once and not for each path that leads here.
 */
__noinline int syncookie_challenge(struct xdp_md *ctx, const struct packet *pkt, struct exchange *exchange)
{
	enum reason reason;
	struct scratch *s;

	if (!pkt || !exchange || pkt->fragmented)
		return REASON_PORT_BUDGET;
	s = scratch_take();
	if (!s)
		return REASON_PORT_BUDGET;
	reason = syncookie_answer(ctx, pkt, exchange, s);
	scratch_give(s);
	return reason;
}

/*
 * Whether bpf_tcp_gen_syncookie() would make a cookie for this listener, as tcp_get_syncookie_mss() decides. Before
 * Linux 6.13 its queue of half-open connections is full one earlier, which matters only while tcp_syncookies is 1.
 */
static __always_inline int syncookie_is_ready(struct bpf_sock *listener)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(listener);
	const struct inet_connection_sock *icsk;
	const struct sock *sk;
	__u8 syncookies;

	if (!tcp)
		return 0;
	icsk = &tcp->inet_conn;
	sk = &icsk->icsk_inet.sk;
	syncookies = sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_syncookies;
	return syncookies == 2 || (syncookies && (__u32)icsk->icsk_accept_queue.qlen.counter > sk->sk_max_ack_backlog);
}

/* What syncookie_challenge() would return; makes no cookie, and leaves the frame alone. */
__noinline int syncookie_explain(struct xdp_md *ctx, const struct packet *pkt, struct exchange *exchange)
{
	const struct tcp_sock *tcp = 0;
	struct cookie cookie = {};
	struct bpf_sock *socket;
	enum reason reason;
	struct scratch *s;

	if (!pkt || !exchange || pkt->fragmented)
		return REASON_PORT_BUDGET;
	s = scratch_take();
	if (!s)
		return REASON_PORT_BUDGET;
	reason = syncookie_read(ctx, pkt, s);
	socket = reason == REASON_CHALLENGED ? syncookie_syn_socket(ctx, pkt, exchange, &tcp) : 0;
	if (socket)
		reason = syncookie_ask(socket, tcp, pkt, s, &cookie);
	scratch_give(s);
	if (!socket)
		return reason == REASON_CHALLENGED ? REASON_NOT_SERVED : reason;
	if (reason == REASON_CHALLENGED && !cfg.dry_run && !syncookie_is_ready(socket))
		reason = REASON_UNREADY;
	bpf_sk_release(socket);
	if (reason == REASON_CHALLENGED && !cfg.dry_run && !synack_mss(ctx, pkt))
		return REASON_PORT_BUDGET;
	return reason;
}

static __always_inline enum reason syncookie_stray(const struct packet *pkt)
{
	if (pkt->flags & TCP_RST)
		return REASON_STRAY_RST;
	if (pkt->flags & TCP_SYN)
		return REASON_STRAY_SYNACK;
	return pkt->flags & TCP_FIN ? REASON_STRAY_FIN : REASON_STRAY_ACK;
}

/* Judges a segment that reaches a listener; one that cannot be checked as the scratch is in use passes. */
static __always_inline enum reason syncookie_judge(struct xdp_md *ctx, const struct packet *pkt,
						   struct exchange *exchange, struct bpf_sock *sk)
{
	__u32 ip_len = scratch_ip_len(pkt);
	struct scratch *s;
	int valid;

	if (!(pkt->flags & TCP_ACK) || pkt->flags & (TCP_SYN | TCP_RST))
		return syncookie_stray(pkt);
	s = scratch_take();
	if (!s)
		return REASON_SEGMENT;
	valid = scratch_read(ctx, pkt, s) &&
		!bpf_tcp_check_syncookie(sk, scratch_ip(s, ip_len), ip_len, (void *)s->tcp, sizeof(struct tcphdr));
	exchange->ack = ((const struct tcphdr *)s->tcp)->ack_seq;
	exchange->sound = valid && sound_is_bare(pkt, s, scratch_ip(s, ip_len), ip_len);
	scratch_give(s);
	return valid ? REASON_COOKIE_ACK : syncookie_stray(pkt);
}

/*
 * Checks a segment to an armed port. SEGMENT: it belongs to a socket, or there is no listener; COOKIE_ACK: it carries a
 * cookie that the kernel will accept.
 */
__noinline int syncookie_check(struct xdp_md *ctx, const struct packet *pkt, struct exchange *exchange)
{
	enum reason reason = REASON_SEGMENT;
	struct bpf_sock *sk;

	if (!pkt || !exchange)
		return REASON_SEGMENT;
	sk = syncookie_socket(ctx, pkt);
	if (!sk)
		return REASON_SEGMENT;
	if (sk->state == STATE_LISTEN)
		reason = syncookie_judge(ctx, pkt, exchange, sk);
	bpf_sk_release(sk);
	return reason;
}

#endif
