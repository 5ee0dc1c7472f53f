/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's sockets and tasks -> the types of the boundary, and a connection's record where its beginning was not
 * seen. No maps are asked here.
 */
#ifndef SYNWARDEN_SOCK_H
#define SYNWARDEN_SOCK_H

#include <linux/errno.h>

#include "maps.bpf.h"
#include "parse.bpf.h"

#define INET_FLAGS_TRANSPARENT 15 /* include/net/inet_sock.h; the enum has no name to look it up by */

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

/* What every kind of socket has: full ones, TIME_WAIT's and half-open ones. */
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

/* Addresses and ports of a full socket, to which `sk` stays a pointer. */
static __always_inline void sock_flow(struct flow *flow, struct sock *sk)
{
	const struct tcp_sock *tcp;

	sock_common_flow(flow, &sk->__sk_common);
	/* At the last transition the socket has left its port already; inet_sport still holds it. */
	if (!flow->lport) {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			flow->lport = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
	}
}

/* Whether the socket may have an address that is not this host's: that of a connection that TPROXY took. */
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

/* How the socket ended (kernel: tcp_reset(), tcp_write_err(), tcp_done(), tcp_time_wait(), tcp_close()). */
static __always_inline enum ending sock_ending(const struct sock *sk, int old)
{
	switch (sk->sk_err) {
	case 0:
		break;
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
	switch (old) {
	case STATE_LISTEN:
		return ENDING_UNLISTENED;
	case STATE_SYN_SENT:
	case STATE_SYN_RECV:
		return ENDING_ABORTED;
	case STATE_LAST_ACK:
		return ENDING_FIN;
	case STATE_CLOSING:
		return ENDING_TIME_WAIT;
	case STATE_FIN_WAIT2:
		if (SOCK_FLAG(sk, SOCK_DONE))
			return ENDING_TIME_WAIT;
		return SOCK_FLAG(sk, SOCK_DEAD) ? ENDING_ORPHANED : ENDING_RESET_SENT;
	default:
		return ENDING_RESET_SENT;
	}
}

/* Whether the state comes after the handshake. */
static __always_inline int sock_is_past_handshake(int state)
{
	const __u32 past = 1 << STATE_ESTABLISHED | 1 << STATE_FIN_WAIT1 | 1 << STATE_FIN_WAIT2 |
			   1 << STATE_CLOSE_WAIT | 1 << STATE_LAST_ACK | 1 << STATE_CLOSING | 1 << STATE_TIME_WAIT;

	return past >> state & 1;
}

/* Who must have sent the first FIN for a socket to be in this state; of CLOSING it is not known. */
static __always_inline enum closer sock_closer(int state)
{
	if (state == STATE_FIN_WAIT1 || state == STATE_FIN_WAIT2 || state == STATE_TIME_WAIT)
		return CLOSER_LOCAL;
	return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK ? CLOSER_REMOTE : CLOSER_NONE;
}

/*
 * How long ago the kernel noted something for this connection: so old it is at least. tcp_mstamp is of its last packet;
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

/* Begins the record of a connection that existed before, with what its state gives away. */
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

/* What the tracker knows of the connection. */
static __always_inline void sock_life(struct life *life, const struct conn *conn, __u64 now)
{
	life->age_ns = now - conn->begun_ns + conn->older_ms * 1000000ULL;
	life->handshake_ns = conn->handshake_ns;
	life->role = conn->role;
	life->closer = conn->closer;
	life->existed = conn->existed;
}

/* Payload bytes, each counted once; the kernel's count of received ones has the peer's FIN in it. */
static __always_inline void sock_bytes(struct life *life, const struct tcp_sock *tcp)
{
	const struct sock *sk = &tcp->inet_conn.icsk_inet.sk;

	life->sent = tcp->bytes_sent - tcp->bytes_retrans;
	life->received = tcp->bytes_received;
	if (life->received && SOCK_FLAG(sk, SOCK_DONE))
		life->received--;
	life->retransmits = tcp->total_retrans;
}

#endif
