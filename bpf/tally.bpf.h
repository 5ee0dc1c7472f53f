/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel reports of TCP beside transitions: segments sent again, and resets.
 */
#ifndef SYNWARDEN_TALLY_H
#define SYNWARDEN_TALLY_H

#include "conn.bpf.h"
#include "strays.bpf.h"

/* Counts a segment sent again. An unanswered connect() has its local port by now. */
static __always_inline int tally_retransmit(struct sock *sk)
{
	struct conn *conn;
	struct flow flow = {};

	if (!sock_is_tcp(sk))
		return 0;
	if (sock_netns(&sk->__sk_common) == cfg.netns)
		report_tally(sk->__sk_common.skc_state == STATE_SYN_SENT ? TALLY_SYN_RETRANSMITS
									 : TALLY_SEGMENT_RETRANSMITS);
	if (!conn_streams_transitions())
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (!conn || !conn->pending_ns)
		return 0;
	sock_common_flow(&flow, &sk->__sk_common);
	conn_send_pending(conn, &flow, sk->__sk_common.skc_bound_dev_if, bpf_get_socket_cookie(sk));
	return 0;
}

static __always_inline int tally_synack(const struct request_sock *req)
{
	const struct sock_common *skc = &req->__req_common;
	struct port_count *count;

	if (sock_netns(skc) != cfg.netns)
		return 0;
	report_tally(TALLY_SYNACK_RETRANSMITS);
	count = ports_count(ports_slot(skc->skc_num));
	if (count)
		report_add(&count->synack_retransmits, 1);
	return 0;
}

/* A segment or SYN that reached a listener, or (`closed`) no socket, and is answered with a RST. `skb_iif`: the last
 * device that it came through. */
static __always_inline void tally_stray(const struct sk_buff *skb, int closed)
{
	struct closing_segment seg = {};

	if (local_filters(BPF_CORE_READ(skb, skb_iif)) && !closing_read_segment(&seg, skb))
		strays_refused(&seg.flow, closed, (seg.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN);
}

/*
 * Without a socket (a closed port, a packet from TIME_WAIT) the namespace is that of the packet's interface. Either
 * pointer may be NULL, but the verifiers of Linux 6.10 to 6.12.5 assume that it is not and remove the checks.
 * BPF_CORE_READ() reads 0 through NULL, a plain read would fault.
 */
static __always_inline int tally_reset_sent(const struct sock *sk, const struct sk_buff *skb)
{
	__u32 netns = 0;
	__u8 state;

	closing_note_reset(sk, skb);
	if (cfg.stream)
		return 0;
	if (sk)
		netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (!netns && skb)
		netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	if (netns != cfg.netns)
		return 0;
	report_tally(TALLY_RESETS_SENT);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (skb && (!state || state == STATE_LISTEN))
		tally_stray(skb, !state);
	return 0;
}

static __always_inline int tally_reset_received(const struct sock *sk)
{
	if (sock_netns(&sk->__sk_common) == cfg.netns)
		report_tally(TALLY_RESETS_RECEIVED);
	return 0;
}

#endif
