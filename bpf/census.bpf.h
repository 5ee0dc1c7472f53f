/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own tables: all sockets by state, half-open ones and accept queues by port, and a list of open
 * connections.
 */
#ifndef SYNWARDEN_CENSUS_H
#define SYNWARDEN_CENSUS_H

#include "ended.bpf.h"
#include "http_life.bpf.h"
#include "known.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

/* TIME_WAIT and an orphaned FIN_WAIT2 end by a timer, which no tracepoint reports. */
static __always_inline void census_note_end(struct census *census, struct sock_common *sk)
{
	struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(sk);
	__s32 left;

	if (!tw)
		return;
	left = (__u32)tw->tw_sk.tw_timer.expires - (__u32)bpf_jiffies64();
	if (left < 0)
		left = 0;
	if ((__u64)left < census->ends_in)
		census->ends_in = left;
}

/* As ss and netstat show it: an orphaned FIN_WAIT2 is kept in the same kind of socket as TIME_WAIT. */
static __always_inline __u32 census_state(struct sock_common *sk)
{
	struct tcp_timewait_sock *tw;

	if (sk->skc_state != STATE_TIME_WAIT)
		return sk->skc_state;
	tw = bpf_skc_to_tcp_timewait_sock(sk);
	return tw ? tw->tw_sk.tw_substate : STATE_TIME_WAIT;
}

/* Whether no client but this host itself can reach the listener. */
static __always_inline int census_is_loopback(const struct sock_common *sk)
{
	const __be32 *words = sk->skc_v6_rcv_saddr.in6_u.u6_addr32;
	int mapped = !(words[0] | words[1]) && words[2] == bpf_htonl(0xffff);

	if (sk->skc_family == AF_INET || mapped)
		return bpf_ntohl(sk->skc_rcv_saddr) >> 24 == 127;
	return !(words[0] | words[1] | words[2]) && words[3] == bpf_htonl(1);
}

static __always_inline void census_listener(struct census *census, struct sock_common *skc)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(skc);
	__u32 port = skc->skc_num, slot, queue, limit;
	struct conn *conn;
	struct sock *sk;

	census->listening[port >> 6 & 1023] |= 1ULL << (port & 63);
	ports_listen(port);
	slot = ports_slot(port);
	if (!tcp || slot >= MAX_PORTS)
		return;
	sk = &tcp->inet_conn.icsk_inet.sk;
	queue = sk->sk_ack_backlog;
	limit = sk->sk_max_ack_backlog;
	census->ports[slot].accept_queue += queue;
	census->ports[slot].accept_limit += limit;
	census->ports[slot].accept_full += queue > limit;
	census->ports[slot].reachable += !census_is_loopback(skc);
	conn = bpf_sk_storage_get(&conns, tcp, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn)
		return;
	if (census->first && !conn->counted)
		conn->drops = sk->sk_drops.counter; /* from before the first census */
	conn->counted = 1;
	ports_listen_drops(conn, sk, slot);
}

/* A peer with a link-local address binds each connection to a device. */
static __always_inline void census_note_bound(struct sock_common *sk)
{
	struct flow flow = {};

	sock_common_flow(&flow, sk);
	if (!parse_is_link_local(&flow.raddr))
		ended_note_bound(flow.lport);
}

static __always_inline int census_count(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	const struct listener *listener;
	struct flow flow = {};
	struct census *census;
	__u32 state, slot, key = CENSUS_WORK;

	census = bpf_map_lookup_elem(&censuses, &key);
	if (!sk || !census)
		return 0;
	state = census_state(sk);
	if (state >= STATE_MAX)
		return 0;
	census->states[state]++;
	if (sk->skc_bound_dev_if)
		census_note_bound(sk);
	if (state == STATE_LISTEN) {
		census_listener(census, sk);
		return 0;
	}
	if (sk->skc_state == STATE_TIME_WAIT)
		census_note_end(census, sk);
	sock_common_flow(&flow, sk);
	known_note_addr(&flow.raddr);
	key = sk->skc_num;
	listener = bpf_map_lookup_elem(&listeners, &key);
	slot = listener ? listener->slot : 0;
	if (state == STATE_NEW_SYN_RECV) {
		if (slot < MAX_PORTS)
			census->ports[slot].half_open++;
		if (slot && listener && listener->listening && census->half_open_proofs < MAX_HALF_OPEN_PROOFS)
			census->half_open_proofs += ports_note_served(sk, &flow) > 0;
	} else if (census->first && slot && listener && listener->listening && state != STATE_SYN_SENT) {
		ports_note_served(sk, &flow); /* a child of that listener */
	}
	return 0;
}

/* A full socket: the kernel's numbers, and what the tracker knows of it. */
static __always_inline void census_full(struct life *life, struct tcp_sock *tcp)
{
	struct conn *conn = bpf_sk_storage_get(&conns, tcp, 0, BPF_SK_STORAGE_GET_F_CREATE);
	struct event *e = &life->event;

	if (conn && !conn->begun_ns)
		sock_adopt(conn, &tcp->inet_conn.icsk_inet.sk, e->new, e->time_ns);
	if (conn)
		sock_life(life, conn, tcp, e->new, e->time_ns);
	if (e->new != STATE_LISTEN) {
		sock_counts(life, tcp, e->new, conn);
		http_life_tell(life, tcp);
	}
	if (!conn)
		return;
	if (cfg.stream)
		sock_adopt_owner(conn, tcp);
	/* Without a stream, owners are not followed between two sessions. */
	if (cfg.stream || conn->session == owners_session)
		e->owner = conn->owner;
	if (e->new == STATE_LISTEN && conn->existed)
		life->age_ns = DURATION_UNKNOWN; /* the kernel does not note when it began to listen */
}

/* A half-open connection is as old as its first SYN-ACK. */
static __always_inline void census_request(struct life *life, const struct tcp_request_sock *treq)
{
	__u64 since_ns = treq->snt_synack * 1000, now = life->event.time_ns;

	life->role = ROLE_SERVER;
	life->retransmits = treq->req.req.num_retrans;
	if (since_ns && since_ns < now)
		life->age_ns = now - since_ns;
}

/* TIME_WAIT, or FIN_WAIT2 without a process. The kernel notes when it was entered from Linux 6.14 on. */
static __always_inline void census_rest(struct life *life, struct tcp_timewait_sock *tw)
{
	__u32 now_ms = life->event.time_ns / 1000000;

	life->existed = 1;
	life->closer = CLOSER_LOCAL;
	if (bpf_core_field_exists(tw->tw_sk.tw_entry_stamp))
		life->age_ns = (now_ms - tw->tw_sk.tw_entry_stamp) * 1000000ULL;
}

static __always_inline void census_describe(struct life *life, struct sock_common *sk)
{
	struct tcp_request_sock *treq;
	struct tcp_timewait_sock *tw;
	struct tcp_sock *tcp;

	if (life->event.new == STATE_NEW_SYN_RECV) {
		treq = bpf_skc_to_tcp_request_sock(sk);
		if (treq)
			census_request(life, treq);
		return;
	}
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp) {
		census_full(life, tcp);
		return;
	}
	tw = bpf_skc_to_tcp_timewait_sock(sk);
	if (tw)
		census_rest(life, tw);
}

/* Writes one struct life for each socket that a stream would want. */
static __always_inline int census_list(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct life life = {
		.event.duration_ns = DURATION_UNKNOWN,
		.age_ns = DURATION_UNKNOWN,
		.sent = BYTES_UNKNOWN,
		.received = BYTES_UNKNOWN,
	};

	if (!sk)
		return 0;
	life.event.time_ns = bpf_ktime_get_ns();
	life.event.cookie = bpf_get_socket_cookie(sk);
	life.event.new = census_state(sk);
	life.established = sock_is_past_handshake(life.event.new);
	sock_common_flow(&life.event.flow, sk);
	life.event.device = sk->skc_bound_dev_if;
	if (!filter_wants_flow(&life.event.flow))
		return 0;
	census_describe(&life, sk);
	if (filter_wants(&life.event))
		bpf_seq_write(ctx->meta->seq, &life, sizeof(life));
	return 0;
}

#endif
