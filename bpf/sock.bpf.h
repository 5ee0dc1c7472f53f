/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's sockets and tasks -> the types of include/, and the record of a connection whose beginning was not seen.
 * No map is used here.
 */
#ifndef SYNWARDEN_SOCK_H
#define SYNWARDEN_SOCK_H

#include <linux/errno.h>

#include "maps.bpf.h"
#include "parse.bpf.h"

#define INET_FLAGS_TRANSPARENT 15 /* include/net/inet_sock.h; the enum has no name to look it up by */

#define IFF_LOOPBACK 8 /* include/uapi/linux/if.h */

#define SO_EE_ORIGIN_ICMP  2 /* include/uapi/linux/errqueue.h */
#define SO_EE_ORIGIN_ICMP6 3

#define AF_INET	 2
#define AF_INET6 10

/* The tracepoints fire for SCTP and MPTCP too. */
static __always_inline int sock_is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline __u32 sock_netns(const struct sock_common *sk)
{
	return sk->skc_net.net->ns.inum;
}

/* Of every kind of socket: full, TIME_WAIT and half-open. */
static __always_inline void sock_common_flow(struct flow *flow, struct sock_common *sk)
{
	int i;

	flow->netns = sock_netns(sk);
	flow->lport = sk->skc_num;
	flow->rport = bpf_ntohs(sk->skc_dport);
	if (sk->skc_family == AF_INET) {
		parse_map_v4(&flow->laddr, sk->skc_rcv_saddr);
		parse_map_v4(&flow->raddr, sk->skc_daddr);
		return;
	}
#pragma unroll
	for (i = 0; i < 4; i++) {
		flow->laddr.words[i] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		flow->raddr.words[i] = sk->skc_v6_daddr.in6_u.u6_addr32[i];
	}
}

/* Addresses and ports of a socket that is no pointer to the verifier. */
static __always_inline void sock_read_flow(struct flow *flow, const struct sock_common *sk)
{
	__be32 laddr, raddr;

	flow->netns = BPF_CORE_READ(sk, skc_net.net, ns.inum);
	flow->lport = BPF_CORE_READ(sk, skc_num);
	flow->rport = bpf_ntohs(BPF_CORE_READ(sk, skc_dport));
	if (BPF_CORE_READ(sk, skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&flow->laddr, sk, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&flow->raddr, sk, skc_v6_daddr);
		return;
	}
	laddr = BPF_CORE_READ(sk, skc_rcv_saddr);
	raddr = BPF_CORE_READ(sk, skc_daddr);
	parse_map_v4(&flow->laddr, laddr);
	parse_map_v4(&flow->raddr, raddr);
}

/* At its last transition a socket has left its port already; inet_sport still holds it. */
static __always_inline void sock_last_flow(struct flow *flow, const struct tcp_sock *tcp)
{
	sock_common_flow(flow, (struct sock_common *)&tcp->inet_conn.icsk_inet.sk.__sk_common);
	if (!flow->lport)
		flow->lport = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
}

/* Whether the socket's address may not be this host's, as that of a connection taken by TPROXY. */
static __always_inline int sock_is_transparent(struct sock_common *sk)
{
	struct tcp_timewait_sock *tw;
	struct inet_sock *inet;
	struct tcp_sock *tcp;

	if (sk->skc_state == STATE_TIME_WAIT) {
		tw = bpf_skc_to_tcp_timewait_sock(sk);
		return tw && BPF_CORE_READ_BITFIELD_PROBED(&tw->tw_sk, tw_transparent);
	}
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	inet = &tcp->inet_conn.icsk_inet;
	if (bpf_core_field_exists(inet->inet_flags))
		return inet->inet_flags >> INET_FLAGS_TRANSPARENT & 1;
	return BPF_CORE_READ_BITFIELD_PROBED((struct inet_sock___bits *)inet, transparent);
}

/* Whether the way to the peer is loopback: the host has connected to itself, by whatever addresses. */
static __always_inline int sock_is_looped(struct sock *sk)
{
	return !!(BPF_CORE_READ(sk, sk_dst_cache, dev, flags) & IFF_LOOPBACK);
}

static __always_inline void sock_owner(struct owner *owner, struct task_struct *task, enum owner_kind kind)
{
	owner->pid = task->tgid;
	owner->uid = task->real_cred->uid.val;
	owner->kind = kind;
	owner->start_ns = task->group_leader->start_boottime;
	owner->cgroup = task->cgroups->dfl_cgrp->kn->id;
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
}

static __always_inline int sock_flag(const struct sock *sk, enum sock_flags flag)
{
	return !!(sk->__sk_common.skc_flags & 1UL << flag);
}

#define SOCK_FLAG(sk, name) sock_flag(sk, bpf_core_enum_value(enum sock_flags, name))

/* Whether the state comes after the handshake. */
static __always_inline int sock_is_past_handshake(int state)
{
	const __u32 past = 1 << STATE_ESTABLISHED | 1 << STATE_FIN_WAIT1 | 1 << STATE_FIN_WAIT2 |
			   1 << STATE_CLOSE_WAIT | 1 << STATE_LAST_ACK | 1 << STATE_CLOSING | 1 << STATE_TIME_WAIT;

	return past >> state & 1;
}

/* Whether all that was sent is acknowledged: after a FIN, the peer has it. */
static __always_inline int sock_is_acked(const struct tcp_sock *tcp)
{
	return tcp->snd_una == tcp->write_seq;
}

/* Whether a FIN was sent: it is the last that a socket in `state` has to send, if it has one to send at all. */
static __always_inline int sock_has_sent_fin(const struct tcp_sock *tcp, int state)
{
	const __u32 after = 1 << STATE_FIN_WAIT1 | 1 << STATE_FIN_WAIT2 | 1 << STATE_LAST_ACK | 1 << STATE_CLOSING;

	return after >> state & 1 && tcp->snd_nxt == tcp->write_seq;
}

/*
 * Whether the handshake of a connection in `state` is complete. `early`: a child of TCP Fast Open that was closed
 * before; rcv_tstamp is set by each ACK.
 */
static __always_inline int sock_is_established(const struct tcp_sock *tcp, int state, int early)
{
	return sock_is_past_handshake(state) && (!early || tcp->rcv_tstamp);
}

/* The errno of the ICMP error that came last to the socket's error queue; 0: none. */
static __always_inline __u32 sock_icmp_error(const struct sock *sk)
{
	const struct sk_buff *last = sk->sk_error_queue.prev;
	const struct sock_exterr_skb *err;
	__u8 origin;

	if ((__u64)last == (__u64)sk + bpf_core_field_offset(struct sock, sk_error_queue))
		return 0;
	err = (const void *)((__u64)last + bpf_core_field_offset(struct sk_buff, cb));
	origin = BPF_CORE_READ(err, ee.ee_origin);
	return origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6 ? BPF_CORE_READ(err, ee.ee_errno) : 0;
}

/*
 * The error that ended the connection, 0 for none. After the handshake an ICMP error ends nothing (RFC 1122, section
 * 4.2.3.9): it stays in sk_err until the application asks, or in sk_err_soft, which tcp_write_err() reports at a
 * time-out. Before, it ends the connect, or the application learns of it and gives up: sk_err_soft is 0 once the
 * application has fetched it, `icmp` is not.
 */
static __always_inline int sock_error(const struct sock *sk, int old, int icmp)
{
	int err = sk->sk_err, soft = sk->sk_err_soft;

	if (old == STATE_SYN_SENT)
		return err ? err : soft ? soft : icmp;
	if (!sock_is_past_handshake(old) || err == ECONNRESET || err == EPIPE || err == ETIMEDOUT ||
	    err == ECONNABORTED)
		return err;
	return err && err == soft ? ETIMEDOUT : 0;
}

/* The socket was closed on this side, and not by both FINs (kernel: __tcp_close(), tcp_disconnect()). */
static __always_inline enum ending sock_ending_here(const struct tcp_sock *tcp, int old)
{
	const struct sock *sk = &tcp->inet_conn.icsk_inet.sk;

	switch (old) {
	case STATE_SYN_SENT:
		return ENDING_ABORTED;
	case STATE_LAST_ACK:
	case STATE_CLOSING:
		/* SO_LINGER of 0 where nothing is unread, and nothing unsent: not even a RST. rcv_nxt counts the FIN.
		 */
		if (!SOCK_FLAG(sk, SOCK_DEAD) && tcp->snd_nxt == tcp->write_seq && tcp->rcv_nxt - tcp->copied_seq <= 1)
			return ENDING_ABORTED;
		return ENDING_RESET_SENT;
	case STATE_FIN_WAIT2:
		return SOCK_FLAG(sk, SOCK_DEAD) && tcp->linger2 >= 0 ? ENDING_ORPHANED : ENDING_RESET_SENT;
	default:
		return ENDING_RESET_SENT;
	}
}

/* Both FINs came and went; what sk_err says is older. */
static __always_inline int sock_is_closed(const struct tcp_sock *tcp, int old)
{
	const struct sock *sk = &tcp->inet_conn.icsk_inet.sk;

	if (old == STATE_FIN_WAIT2)
		return SOCK_FLAG(sk, SOCK_DONE);
	return (old == STATE_LAST_ACK || old == STATE_CLOSING) && sock_is_acked(tcp);
}

/* Whether a connect failed before its SYN because no local port was free for the peer's address. */
static __always_inline int sock_lacks_port(const struct tcp_sock *tcp, int old, __u16 lport)
{
	return old == STATE_SYN_SENT && (!lport || !tcp->write_seq);
}

/* How the socket ended (kernel: tcp_reset(), tcp_write_err(), tcp_done(), tcp_time_wait(), tcp_close()).
 * `icmp`: of struct conn, or 0. ENDING_ORPHANED: not yet, see bpf/closing.bpf.h. */
static __always_inline enum ending sock_ending(const struct tcp_sock *tcp, int old, __u16 lport, int icmp)
{
	if (old == STATE_LISTEN)
		return ENDING_UNLISTENED;
	if (sock_is_closed(tcp, old))
		return old == STATE_LAST_ACK ? ENDING_FIN : ENDING_TIME_WAIT;
	if (BPF_CORE_READ_BITFIELD_PROBED(tcp, repair))
		return ENDING_REPAIRED;
	if (sock_lacks_port(tcp, old, lport))
		return ENDING_NO_PORT;
	switch (sock_error(&tcp->inet_conn.icsk_inet.sk, old, icmp)) {
	case 0:
		return sock_ending_here(tcp, old);
	case ECONNREFUSED:
		return ENDING_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return ENDING_RESET_RECEIVED;
	case ETIMEDOUT:
		return ENDING_TIMEOUT;
	case ECONNABORTED:
		return ENDING_ABORTED;
	default:
		return ENDING_UNREACHABLE;
	}
}

/* The side that sent the first FIN, inferred from the state; unknown for CLOSING. */
static __always_inline enum closer sock_closer(int state)
{
	if (state == STATE_FIN_WAIT1 || state == STATE_FIN_WAIT2 || state == STATE_TIME_WAIT)
		return CLOSER_LOCAL;
	return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK ? CLOSER_REMOTE : CLOSER_NONE;
}

/*
 * A lower bound of the connection's age in ns, from kernel timestamps: tcp_mstamp is that of its last packet;
 * rcvq_space.time is set when it is established, and again only while the application reads.
 */
static __always_inline __u64 sock_age_at_least(const struct sock *sk, int state, __u64 now)
{
	const struct tcp_sock *tcp = state == STATE_LISTEN ? 0 : bpf_skc_to_tcp_sock((void *)sk);
	__u64 us, begun;

	if (!tcp)
		return 0;
	us = tcp->tcp_mstamp;
	begun = tcp->rcvq_space.time;
	if (sock_is_past_handshake(state) && begun && begun < us)
		us = begun;
	return us && us * 1000 < now ? now - us * 1000 : 0;
}

/* Starts the record of a connection older than the tracker; role and first closer are inferred from its TCP state. */
static __always_inline void sock_adopt(struct conn *conn, const struct sock *sk, int state, __u64 now)
{
	__u64 older_ms = sock_age_at_least(sk, state, now) / 1000000;

	conn->existed = 1;
	conn->begun_ns = now;
	conn->older_ms = older_ms < (__u32)~0 ? older_ms : (__u32)~0;
	conn->handshake_ns = 0;
	conn->role = state == STATE_SYN_SENT ? ROLE_CLIENT : ROLE_UNKNOWN;
	conn->closer = sock_closer(state);
}

/* The owner of a socket that existed before, where it is known by the socket's address. */
static __always_inline void sock_adopt_owner(struct conn *conn, const void *sk)
{
	__u64 key = (__u64)sk;
	const struct owner *owner = conn->owner.pid ? 0 : bpf_map_lookup_elem(&mptcp_owners, &key);

	if (owner)
		conn->owner = *owner;
}

/* What the tracker knows of the connection, which ends in `state` or is in it. A FIN that waits behind data that was
 * never sent closes nothing. */
static __always_inline void sock_life(struct life *life, const struct conn *conn, const struct tcp_sock *tcp, int state,
				      __u64 now)
{
	life->age_ns = now - conn->begun_ns + conn->older_ms * 1000000ULL;
	life->handshake_ns = conn->handshake_ns;
	life->role = conn->role;
	life->closer = state == STATE_FIN_WAIT1 && !sock_has_sent_fin(tcp, state) ? CLOSER_NONE : conn->closer;
	life->existed = conn->existed;
}

/*
 * Payload bytes that were sent, each counted once: what is acknowledged and what is under way, less the SYN of a client
 * and the FIN, which have numbers too. (tcp_sock.bytes_sent counts again what the local queues refused.) Of a role that
 * is not known either count may be one too many, but not both.
 */
static __always_inline __u64 sock_sent(const struct tcp_sock *tcp, int state, __u8 role)
{
	__u64 numbered = tcp->bytes_acked + (tcp->snd_nxt - tcp->snd_una) - sock_has_sent_fin(tcp, state);
	__u64 sent = tcp->bytes_sent - tcp->bytes_retrans;

	if (role == ROLE_CLIENT && numbered)
		return numbered - 1;
	return role == ROLE_SERVER || numbered < sent ? numbered : sent;
}

/* The kernel's count of received bytes has the peer's FIN in it, unless it came with the SYN. */
static __always_inline __u64 sock_received(const struct tcp_sock *tcp, int fin_in_syn)
{
	const struct sock *sk = &tcp->inet_conn.icsk_inet.sk;
	__u64 received = tcp->bytes_received;

	return received && !fin_in_syn && SOCK_FLAG(sk, SOCK_DONE) ? received - 1 : received;
}

/* What the kernel has counted. `state`: the one that ends, or in which it is. `conn` may be NULL. */
static __always_inline void sock_counts(struct life *life, const struct tcp_sock *tcp, int state,
					const struct conn *conn)
{
	const struct request_sock *req = tcp->fastopen_rsk;

	life->established = sock_is_established(tcp, state, conn && conn->early);
	life->sent = sock_sent(tcp, state, life->role);
	life->received = sock_received(tcp, conn && conn->fin_in_syn);
	life->retransmits = tcp->total_retrans;
	/* SYN-ACKs that were sent again after the application had closed are counted there alone. */
	if (req && req->num_retrans > life->retransmits)
		life->retransmits = req->num_retrans;
}

#endif
