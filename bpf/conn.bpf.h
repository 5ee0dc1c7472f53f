/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a connection: one record in each socket's own storage, which lives and dies with the socket and is
 * copied from a listener to the children that it accepts. What the kernel reports is made whole here: CLOSE is
 * told apart into TIME_WAIT and the endings, and a transition whose addresses the kernel sets a moment later waits for
 * them.
 */
#ifndef SYNWARDEN_CONN_H
#define SYNWARDEN_CONN_H

#include "known.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

/* One transition of one socket, as it goes through this file. */
struct step {
	struct sock *sk;
	struct conn *conn; /* NULL: no memory for it */
	__u64 now;
	int old;
	int new; /* as the kernel has it; the event's may be TIME_WAIT */
};

/* Sends the event that waited for its addresses, which are in `flow`. */
static __always_inline void conn_send_pending(struct conn *conn, const struct flow *flow, __u64 cookie)
{
	struct event e = {
		.time_ns = conn->pending_ns,
		.duration_ns = conn->pending_duration_ns,
		.cookie = cookie,
		.flow = *flow,
		.owner = conn->owner,
		.old = conn->pending_old,
		.at_least = conn->pending_at_least,
		.new = conn->state,
	};

	conn->pending_ns = 0;
	report_event(&e, sizeof(e));
}

/* A child keeps its listener's owner only while that one is known to live. */
static __always_inline void conn_note_owner(struct conn *conn, int old, int new)
{
	__u32 pid, alive = 0, *dead;

	if (old == STATE_CLOSE && new == STATE_SYN_SENT) {
		sock_owner(&conn->owner, bpf_get_current_task_btf(), OWNER_CONNECT);
	} else if (old == STATE_CLOSE && new == STATE_LISTEN) {
		sock_owner(&conn->owner, bpf_get_current_task_btf(), OWNER_LISTEN);
		pid = conn->owner.pid;
		bpf_map_update_elem(&listen_pids, &pid, &alive, BPF_ANY);
	} else if (old == STATE_LISTEN && new == STATE_SYN_RECV) {
		pid = conn->owner.pid;
		dead = bpf_map_lookup_elem(&listen_pids, &pid);
		if (!dead || *dead)
			__builtin_memset(&conn->owner, 0, sizeof(conn->owner));
	}
}

/* A socket's life begins with connect(), or as the child of a listener; nothing of a former one (or of the listener's)
 * stays. */
static __always_inline void conn_begin(const struct step *s, enum role role)
{
	struct conn *conn = s->conn;

	conn->begun_ns = s->now;
	conn->handshake_ns = 0;
	conn->role = role;
	conn->closer = CLOSER_NONE;
	conn->existed = 0;
	conn->early = 0;
	conn->older_ms = 0;
	conn->drops = s->sk->sk_drops.counter;
}

/*
 * The handshake is complete. For a child it is the SYN-ACK's round trip, as the kernel has measured it;
 * tcp_sock.srtt_us holds eighths. Whole milliseconds are no measurement: without a record of the SYN-ACK (SYN cookies,
 * a SYN-ACK sent again) the kernel goes by the timestamp that came back, in which a cookie has put options in place of
 * the last 6 bits.
 */
static __always_inline void conn_establish(const struct step *s)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(s->sk);
	struct conn *conn = s->conn;
	__u32 us;

	if (conn->role == ROLE_CLIENT && !conn->existed) {
		conn->handshake_ns = s->now - conn->begun_ns;
	} else if (conn->role == ROLE_SERVER && tcp) {
		us = tcp->srtt_us >> 3;
		conn->handshake_ns = us % 1000 ? us * 1000ULL : 0;
	}
}

static __always_inline void conn_note_life(const struct step *s)
{
	struct conn *conn = s->conn;

	if (s->old == STATE_CLOSE)
		conn_begin(s, s->new == STATE_SYN_SENT ? ROLE_CLIENT : ROLE_UNKNOWN);
	else if (s->old == STATE_LISTEN && s->new == STATE_SYN_RECV)
		conn_begin(s, ROLE_SERVER);
	/* Not seen before; or a child whose beginning was lost, with a copy of its listener's record. */
	else if (!conn->begun_ns || (conn->state == STATE_LISTEN && s->old != STATE_LISTEN))
		sock_adopt(conn, s->sk, s->old, s->now);

	if (s->new == STATE_ESTABLISHED)
		conn_establish(s);
	else if (s->new == STATE_FIN_WAIT1 && !conn->closer)
		conn->closer = CLOSER_LOCAL;
	else if (s->new == STATE_CLOSE_WAIT && !conn->closer)
		conn->closer = CLOSER_REMOTE;
}

/* Brings the record to the new state, and says in the event how long the old one lasted. */
static __always_inline void conn_advance(const struct step *s, struct event *e)
{
	struct conn *conn = s->conn;

	if (conn->state && conn->state != s->old) {
		report_loss(LOSS_REENTRY);
	} else if (s->old == STATE_LISTEN && s->new == STATE_SYN_RECV) {
		e->duration_ns = DURATION_UNKNOWN; /* the listener's age is not the child's */
	} else if (conn->since_ns) {
		e->duration_ns = s->now - conn->since_ns;
	} else if (conn->existed) {
		e->duration_ns = s->now - conn->begun_ns;
		e->at_least = 1;
	}
	conn_note_life(s);
	conn->state = s->new;
	conn->since_ns = s->now;
	if (cfg.stream) {
		conn_note_owner(conn, s->old, s->new);
		e->owner = conn->owner;
	}
}

/*
 * What `run` counts of a child: handshakes that complete, and that do not. After TCP Fast Open the child may be read
 * and closed while the handshake goes on (RFC 7413, section 4.2): what it comes to shows in FIN_WAIT1.
 */
static __always_inline void conn_count_child(const struct step *s, const struct flow *flow)
{
	struct port_count *count = ports_count(ports_slot(flow->lport));

	s->conn->early = s->new == STATE_FIN_WAIT1;
	if (!count || s->conn->early)
		return;
	if (s->new == STATE_CLOSE) {
		report_add(&count->aborted, 1);
		return;
	}
	ports_served(&s->sk->__sk_common, flow);
	report_add(&count->completed, 1);
}

/* Keeps the counters of `run`. */
static __always_inline void conn_count(const struct step *s, struct event *e)
{
	struct conn *conn = s->conn;

	if (conn)
		conn_advance(s, e);
	if (e->flow.rport)
		known_note_addr(&e->flow.raddr);
	report_transition(s->old, e->new, e->at_least ? DURATION_UNKNOWN : e->duration_ns);
	if (s->new == STATE_LISTEN)
		ports_listen_begins(e->flow.lport, s->now);
	if (s->new == STATE_CLOSE && s->old != STATE_LISTEN)
		report_ending(e->ending, sock_is_past_handshake(s->old));
	if (!conn)
		return;
	if (s->old == STATE_LISTEN && s->new == STATE_CLOSE)
		ports_listen_drops(conn, s->sk, ports_slot(e->flow.lport));
	if (conn->role == ROLE_SERVER && (s->old == STATE_SYN_RECV || conn->early))
		conn_count_child(s, &e->flow);
	if (s->new == STATE_ESTABLISHED)
		report_handshake(conn->role, conn->handshake_ns);
}

/* Whether the kernel has yet to set an address that belongs to this transition. */
static __always_inline int conn_incomplete(const struct flow *flow, int new)
{
	return (new == STATE_SYN_SENT && !flow->lport) || (new == STATE_SYN_RECV && !flow->rport);
}

/* Sends the transition, or lets it wait in the record until the addresses are known. */
static __always_inline void conn_stream(const struct step *s, struct event *e)
{
	struct conn *conn = s->conn;

	e->cookie = bpf_get_socket_cookie(s->sk);
	if (conn && conn->pending_ns)
		conn_send_pending(conn, &e->flow, e->cookie);
	if (conn)
		conn_advance(s, e);
	if (conn && conn_incomplete(&e->flow, e->new)) {
		conn->pending_ns = e->time_ns;
		conn->pending_duration_ns = e->duration_ns;
		conn->pending_old = e->old;
		conn->pending_at_least = e->at_least;
		return;
	}
	report_event(e, sizeof(*e));
}

/* Tells of a connection that ended, and of nothing else. */
static __always_inline void conn_finish(const struct step *s, struct event *e)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(s->sk);
	struct conn *conn = s->conn;
	struct life life = {.age_ns = DURATION_UNKNOWN};

	if (conn)
		conn_advance(s, e);
	if (s->new != STATE_CLOSE || s->old == STATE_LISTEN)
		return;
	e->cookie = bpf_get_socket_cookie(s->sk);
	life.event = *e;
	life.established = sock_is_past_handshake(s->old);
	if (tcp)
		sock_bytes(&life, tcp);
	if (conn)
		sock_life(&life, conn, s->now);
	report_event(&life.event, sizeof(life));
}

/* Asked by both copies of the program: the second one acts only where the first one was skipped. */
static __always_inline int conn_transition(struct sock *sk, int old, int new, int again)
{
	struct step s = {.sk = sk, .old = old, .new = new};
	struct event e = {.duration_ns = DURATION_UNKNOWN, .old = old, .new = new};

	if (old == new || !sock_is_tcp(sk))
		return 0;
	/* `run` keeps no record of what it does not count. */
	if (!cfg.stream && sock_netns(&sk->__sk_common) != cfg.netns)
		return 0;
	s.conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (s.conn ? s.conn->state == new : again)
		return 0;
	sock_flow(&e.flow, sk);
	s.now = e.time_ns = bpf_ktime_get_ns(); /* which waits for what is to be read from memory: so all at once */
	if (!s.conn)
		report_loss(LOSS_STORAGE);
	if (new == STATE_CLOSE)
		e.ending = sock_ending(sk, old);
	if (e.ending == ENDING_TIME_WAIT)
		e.new = STATE_TIME_WAIT;
	if (cfg.stream == STREAM_EVENTS)
		conn_stream(&s, &e);
	else if (cfg.stream == STREAM_LIVES)
		conn_finish(&s, &e);
	else
		conn_count(&s, &e);
	return 0;
}

/* A connect that is not answered: by now its local port is known. */
static __always_inline int conn_retransmit(struct sock *sk)
{
	struct conn *conn;
	struct flow flow = {};

	if (!sock_is_tcp(sk))
		return 0;
	if (sock_netns(&sk->__sk_common) == cfg.netns)
		report_tally(sk->__sk_common.skc_state == STATE_SYN_SENT ? TALLY_SYN_RETRANSMITS
									 : TALLY_SEGMENT_RETRANSMITS);
	if (cfg.stream != STREAM_EVENTS)
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (!conn || !conn->pending_ns)
		return 0;
	sock_flow(&flow, sk);
	conn_send_pending(conn, &flow, bpf_get_socket_cookie(sk));
	return 0;
}

static __always_inline int conn_synack_retransmit(const struct request_sock *req)
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

/*
 * Without a socket (a closed port, a packet out of TIME_WAIT) the namespace is that of the packet's interface. Either
 * may be NULL, of which the verifiers of Linux 6.10 to 6.12.5 know nothing: they remove our checks. BPF_CORE_READ() can
 * bear it, a plain read could not.
 */
static __always_inline int conn_reset_sent(const struct sock *sk, const struct sk_buff *skb)
{
	__u32 netns = 0;

	if (sk)
		netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (!netns && skb)
		netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	if (netns == cfg.netns)
		report_tally(TALLY_RESETS_SENT);
	return 0;
}

static __always_inline int conn_reset_received(const struct sock *sk)
{
	if (sock_netns(&sk->__sk_common) == cfg.netns)
		report_tally(TALLY_RESETS_RECEIVED);
	return 0;
}

#endif
