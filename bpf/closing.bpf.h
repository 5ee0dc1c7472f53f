/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections in FIN_WAIT2 without a process. The kernel replaces such a socket by a mini-socket, which enters
 * TIME_WAIT, or ends, without a tracepoint of TCP. But the kernel drops each segment for it after checksum and firewall
 * (tp_btf/kfree_skb), and its timer is one of the kernel's (tp_btf/timer_expire_entry). This file decides what a
 * segment does, by the rules of tcp_timewait_state_process(). If the table is full, or the end is missed, the close is
 * ENDING_ORPHANED and counted as LOSS_CLOSING.
 */
#ifndef SYNWARDEN_CLOSING_H
#define SYNWARDEN_CLOSING_H

#include "ended.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

__u64 closing_timer; /* tw_timer_handler(), known from the first timer seen; 0: not yet */

/* A TCP segment that the kernel has processed. */
struct closing_segment {
	struct flow flow;
	__u32 seq, end_seq; /* as in tcp_skb_cb: SYN and FIN count one each */
	__u8 flags;
};

static __always_inline __u64 *closing_counter(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&closing_count, &key);
}

/* Whether `closings` has any entry. */
static __always_inline int closing_some(void)
{
	const __u64 *count = closing_counter();

	return count && *count;
}

/* Sets what follows the event to zero or unknown. */
static __always_inline void closing_clear(struct closing *c)
{
	__builtin_memset((char *)c + sizeof(c->life.event), 0, sizeof(*c) - sizeof(c->life.event));
	c->life.age_ns = DURATION_UNKNOWN;
}

/* Reports the end in the form that the reader asked for. */
static __always_inline void closing_report(struct life *life)
{
	struct event *e = &life->event;

	if (filter_streams_lives()) {
		report_event(e, sizeof(*life));
	} else if (cfg.stream) {
		report_event(e, sizeof(*e));
	} else {
		report_transition(e->old, e->new, e->at_least ? DURATION_UNKNOWN : e->duration_ns);
		report_ending(e->ending, 1);
	}
}

/* Reports the end of the connection, if it has an entry, and removes that. Of several CPUs at once, one reports. */
static __always_inline void closing_end(const struct flow *flow, enum ending ending)
{
	struct closing *c = bpf_map_lookup_elem(&closings, flow);
	__u64 *count = closing_counter(), now = bpf_ktime_get_ns();
	struct addr source;
	struct event *e;

	if (!c || !count || __sync_lock_test_and_set(&c->ended, 1))
		return;
	if (!cfg.stream)
		ended_note_conn(source_of(&source, &flow->raddr), flow->rport, flow->lport, now);
	e = &c->life.event;
	e->ending = ending;
	e->new = ending == ENDING_TIME_WAIT ? STATE_TIME_WAIT : STATE_CLOSE;
	e->duration_ns = c->since_ns ? now - c->since_ns : DURATION_UNKNOWN;
	if (c->life.age_ns != DURATION_UNKNOWN)
		c->life.age_ns += now - e->time_ns;
	e->time_ns = now;
	closing_report(&c->life);
	bpf_map_delete_elem(&closings, flow);
	report_add(count, -1);
}

/* Upper bound of the jiffies for which the kernel waits for the FIN: tcp_fin_time(), and a quarter for the timer wheel,
 * which is up to an eighth late. */
static __always_inline __u64 closing_patience(const struct tcp_sock *tcp)
{
	const struct inet_connection_sock *icsk = &tcp->inet_conn;
	__u64 wait = tcp->linger2, least = icsk->icsk_rto * 4;

	if (!wait)
		wait = icsk->icsk_inet.sk.__sk_common.skc_net.net->ipv4.sysctl_tcp_fin_timeout;
	if (wait < least)
		wait = least;
	return wait + wait / 4;
}

/* Makes an entry with c->life, whose transition is reported when its end is seen. Not 0: there is no room. */
static __always_inline int closing_begin(struct closing *c, const struct tcp_sock *tcp)
{
	struct event *e = &c->life.event;
	__u64 *count = closing_counter();
	long err;

	if (!count)
		return -1;
	if (e->duration_ns != DURATION_UNKNOWN)
		c->since_ns = e->time_ns - e->duration_ns;
	c->rcv_nxt = tcp->rcv_nxt;
	c->window = tcp->rcv_wup + tcp->rcv_wnd - tcp->rcv_nxt;
	c->stale_at = bpf_jiffies64() + closing_patience(tcp);
	err = bpf_map_update_elem(&closings, &e->flow, c, BPF_NOEXIST);
	if (err) {
		report_loss(LOSS_CLOSING); /* no room; or there is an earlier connection, whose end was missed */
		return err == -EEXIST ? bpf_map_update_elem(&closings, &e->flow, c, BPF_ANY) : err;
	}
	report_add(count, 1);
	return 0;
}

/* Reads the addresses. -1: not IP. */
static __always_inline int closing_read_addresses(struct flow *flow, const void *network)
{
	union {
		struct iphdr v4;
		struct ipv6hdr v6;
	} ip;

	if (bpf_probe_read_kernel(&ip.v4, sizeof(ip.v4), network))
		return -1;
	if (ip.v4.version == 4) {
		parse_map_v4(&flow->laddr, ip.v4.daddr);
		parse_map_v4(&flow->raddr, ip.v4.saddr);
		return 0;
	}
	if (ip.v4.version != 6 || bpf_probe_read_kernel(&ip.v6, sizeof(ip.v6), network))
		return -1;
	__builtin_memcpy(&flow->laddr, &ip.v6.daddr, sizeof(flow->laddr));
	__builtin_memcpy(&flow->raddr, &ip.v6.saddr, sizeof(flow->raddr));
	return 0;
}

/* Reads a packet that TCP has dropped: skb->len is counted from the TCP header on. -1: it cannot be read. */
static __always_inline int closing_read_segment(struct closing_segment *seg, const struct sk_buff *skb)
{
	const unsigned char *head = skb->head;
	struct tcphdr tcp;

	if (closing_read_addresses(&seg->flow, head + skb->network_header) ||
	    bpf_probe_read_kernel(&tcp, sizeof(tcp), head + skb->transport_header))
		return -1;
	seg->flow.lport = bpf_ntohs(tcp.dest);
	seg->flow.rport = bpf_ntohs(tcp.source);
	seg->flow.netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	seg->flags = ((const __u8 *)&tcp)[13];
	seg->seq = bpf_ntohl(tcp.seq);
	seg->end_seq = seg->seq + skb->len - tcp.doff * 4 + tcp.syn + tcp.fin;
	return 0;
}

/* How the mini-socket reacts to a segment; ENDING_NONE: not at all. */
static __always_inline enum ending closing_judge(const struct closing *c, const struct closing_segment *seg)
{
	__u32 ahead = seg->seq - c->rcv_nxt;
	int new = (__s32)(seg->end_seq - c->rcv_nxt) > 0;

	if (seg->flags & (TCP_RST | TCP_SYN))
		return ahead <= c->window ? ENDING_RESET_RECEIVED : ENDING_NONE;
	if (!(seg->flags & TCP_ACK) || !new || (ahead && (__s32)(ahead - c->window) >= 0))
		return ENDING_NONE;
	if (seg->flags & TCP_FIN && seg->end_seq == c->rcv_nxt + 1)
		return ENDING_TIME_WAIT;
	return ENDING_RESET_RECEIVED; /* data for a closed socket: the kernel answers it with a RST */
}

/* A packet that the kernel drops, as it drops all that reach a mini-socket. */
static __always_inline int closing_receive(const struct sk_buff *skb)
{
	struct closing_segment seg = {};
	const struct closing *c;
	enum ending ending;

	if (closing_read_segment(&seg, skb))
		return 0;
	c = bpf_map_lookup_elem(&closings, &seg.flow);
	if (!c)
		return 0;
	ending = closing_judge(c, &seg);
	if (ending)
		closing_end(&seg.flow, ending);
	return 0;
}

/*
 * Any timer of the kernel expires. That of a mini-socket is recognised by its function, which is learned from the first
 * timer that lies in a mini-socket with an entry: the 40 bytes of the key do not agree by chance.
 */
static __always_inline int closing_expire(struct timer_list *timer)
{
	__u64 function = (__u64)timer->function;
	const struct inet_timewait_sock *tw;
	struct flow flow = {};
	struct closing *c;

	if (closing_timer && closing_timer != function)
		return 0;
	tw = (void *)((__u64)timer - bpf_core_field_offset(struct inet_timewait_sock, tw_timer));
	if (BPF_CORE_READ(tw, __tw_common.skc_state) != STATE_TIME_WAIT)
		return 0;
	sock_read_flow(&flow, &tw->__tw_common);
	c = bpf_map_lookup_elem(&closings, &flow);
	if (!c)
		return 0;
	closing_timer = function;
	if (BPF_CORE_READ(tw, tw_substate) == STATE_FIN_WAIT2) {
		closing_end(&flow, ENDING_TIMEOUT);
		return 0;
	}
	report_loss(LOSS_CLOSING);
	c->since_ns = 0; /* the FIN was missed, and its time is unknown */
	closing_end(&flow, ENDING_TIME_WAIT);
	return 0;
}

static long closing_sweep_one(void *map, const struct flow *flow, struct closing *c, const __u64 *now)
{
	(void)map;
	if (c->stale_at >= *now)
		return 0;
	report_loss(LOSS_CLOSING);
	closing_end(flow, ENDING_ORPHANED);
	return 0;
}

/* Ends entries that are too old: the namespace is gone, `ss -K` has ended the mini-socket, or its FIN was missed. */
static __always_inline int closing_sweep(void)
{
	__u64 now = bpf_jiffies64();

	if (closing_some())
		bpf_for_each_map_elem(&closings, closing_sweep_one, &now, 0);
	return 0;
}

/*
 * A RST in FIN_WAIT2 comes from the kernel's timer, just before it ends the socket; after CLOSE, as the answer to data
 * that came with the acknowledgement of the FIN (`skb`), or for lack of memory.
 */
static __always_inline void closing_note_reset(const struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock((void *)sk) : 0;
	struct flow flow = {};
	struct conn *conn;
	__u8 state;

	if (!tcp)
		return;
	state = tcp->inet_conn.icsk_inet.sk.__sk_common.skc_state;
	if (state == STATE_FIN_WAIT2) {
		conn = bpf_sk_storage_get(&conns, tcp, 0, 0);
		if (conn)
			conn->reset_sent = 1;
	} else if (state == STATE_CLOSE && closing_some()) {
		sock_last_flow(&flow, tcp);
		closing_end(&flow, skb ? ENDING_RESET_RECEIVED : ENDING_RESET_SENT);
	}
}

#endif
