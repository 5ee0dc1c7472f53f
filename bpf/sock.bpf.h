/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's sockets and tasks -> the types of the boundary. No maps: what is read here is the kernel's word alone.
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

/* Whether a connection in this state has had its handshake. */
static __always_inline int sock_was_established(int state)
{
	return state != STATE_SYN_SENT && state != STATE_SYN_RECV && state != STATE_NEW_SYN_RECV &&
	       state != STATE_LISTEN && state != STATE_CLOSE;
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
