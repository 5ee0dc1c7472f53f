/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a connection: one record in each socket's own storage, which the kernel frees with the socket and copies
 * from a listener to the children that it accepts. What the kernel reports is completed here: CLOSE is split into
 * TIME_WAIT and the endings, and a transition whose addresses the kernel sets a moment later is held back until then.
 */
#ifndef SYNWARDEN_CONN_H
#define SYNWARDEN_CONN_H

#include "closing.bpf.h"
#include "ended.bpf.h"
#include "http_count.bpf.h"
#include "http_life.bpf.h"
#include "known.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

/* One transition of one socket, as the functions of this file hand it on. */
struct step {
	struct sock *sk;
	struct conn *conn;	    /* NULL: no memory for a record */
	const struct tcp_sock *tcp; /* NULL unless `new` is CLOSE */
	__u64 now;
	int old;
	int new; /* as the kernel has it; the event's may be TIME_WAIT */
};

static __always_inline int conn_streams_transitions(void)
{
	return cfg.stream == STREAM_EVENTS || cfg.stream == STREAM_LADDER;
}

/* Sends the event that was held back for its addresses, which are in `flow`. */
static __always_inline void conn_send_pending(struct conn *conn, const struct flow *flow, __u32 device, __u64 cookie)
{
	struct event e = {
		.time_ns = conn->pending_ns,
		.duration_ns = conn->pending_duration_ns,
		.cookie = cookie,
		.flow = *flow,
		.owner = conn->owner,
		.device = device,
		.old = conn->pending_old,
		.at_least = conn->pending_at_least,
		.new = conn->state,
	};

	conn->pending_ns = 0;
	report_event(&e, sizeof(e));
}

/* A child keeps its listener's owner only while that process is known to exist. */
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

/* A connection begins with connect(), or as the child of a listener. Nothing stays in its record of an earlier
 * connection of the socket, or of the listener's. */
static __always_inline void conn_begin(const struct step *s, enum role role)
{
	struct conn *conn = s->conn;

	conn->begun_ns = s->now;
	conn->handshake_ns = 0;
	conn->role = role;
	conn->closer = CLOSER_NONE;
	conn->existed = 0;
	conn->early = 0;
	conn->fin_in_syn = 0;
	conn->reset_sent = 0;
	conn->error = 0;
	conn->older_ms = 0;
	conn->drops = s->sk->sk_drops.counter;
}

/*
 * The handshake is complete. A child's took the SYN-ACK's round trip, as the kernel measured it; tcp_sock.srtt_us is in
 * eighths of a microsecond. Whole milliseconds are no measurement: without a record of the SYN-ACK (SYN cookies, a
 * SYN-ACK sent again) the kernel uses the echoed timestamp, the last 6 bits of which a cookie replaces by options.
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

/* Closed here; the FIN is not sent yet. */
static __always_inline void conn_note_close(const struct step *s)
{
	s->conn->early = s->old == STATE_SYN_RECV;
	if (!s->conn->closer)
		s->conn->closer = CLOSER_LOCAL;
}

/* The peer's FIN. One that came in the first segment came with the SYN, or with the SYN-ACK. */
static __always_inline void conn_note_fin(const struct step *s)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(s->sk);
	struct conn *conn = s->conn;

	if (!tcp)
		return;
	conn->fin_in_syn = tcp->segs_in == 1;
	/* Before CLOSING this side has closed too, but its FIN may still wait behind data. */
	if (s->new == STATE_CLOSE_WAIT || !sock_has_sent_fin(tcp, s->old))
		conn->closer = CLOSER_REMOTE;
}

static __always_inline void conn_note_life(const struct step *s)
{
	struct conn *conn = s->conn;

	if (s->old == STATE_CLOSE)
		conn_begin(s, s->new == STATE_SYN_SENT ? ROLE_CLIENT : ROLE_UNKNOWN);
	else if (s->old == STATE_LISTEN && s->new == STATE_SYN_RECV)
		conn_begin(s, ROLE_SERVER);
	/* Not seen before, or a child whose beginning was missed and which still holds its listener's record. */
	else if (!conn->begun_ns || (conn->state == STATE_LISTEN && s->old != STATE_LISTEN))
		sock_adopt(conn, s->sk, s->old, s->now);

	if (s->new == STATE_ESTABLISHED)
		conn_establish(s);
	else if (s->new == STATE_FIN_WAIT1)
		conn_note_close(s);
	else if (s->new == STATE_CLOSE_WAIT || s->new == STATE_CLOSING)
		conn_note_fin(s);
}

/* Moves the record to the new state, and sets in the event how long the old one lasted. */
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
		if (conn->existed)
			sock_adopt_owner(conn, s->sk);
		e->owner = conn->owner;
	}
}

/*
 * Counts a child's handshake as completed or aborted. With TCP Fast Open the child may be read and closed during the
 * handshake (RFC 7413, section 4.2): the outcome then shows in FIN_WAIT1.
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
	/* First, and it is read last: `own` is a part of it, whenever the two are read. */
	report_add(&count->completed, 1);
	if (sock_is_looped(s->sk) || ports_note_served(&s->sk->__sk_common, flow) < 0)
		report_add(&count->own, 1);
}

/* Leaves the marks that the packet path asks for. A peer with a link-local address binds each connection to a device.
 */
static __always_inline void conn_note_addrs(const struct step *s, const struct event *e)
{
	struct addr source;
	__u64 hash;

	if (e->device && !parse_is_link_local(&e->flow.raddr))
		ended_note_bound(e->flow.lport);
	if (!e->flow.rport)
		return;
	hash = source_of(&source, &e->flow.raddr);
	known_note(hash);
	if (s->new == STATE_CLOSE)
		ended_note_conn(hash, e->flow.rport, e->flow.lport, s->now);
}

/* Updates the counters of `run`. */
static __always_inline void conn_count(const struct step *s, struct closing *c)
{
	struct event *e = &c->life.event;
	struct conn *conn = s->conn;

	if (conn)
		conn_advance(s, e);
	conn_note_addrs(s, e);
	if (e->ending == ENDING_ORPHANED && s->tcp) {
		closing_clear(c);
		if (!closing_begin(c, s->tcp))
			return;
	}
	report_transition(s->old, e->new, e->at_least ? DURATION_UNKNOWN : e->duration_ns);
	if (s->new == STATE_LISTEN)
		ports_listen_begins(e->flow.lport, s->now);
	if (s->old == STATE_LISTEN && s->new == STATE_CLOSE)
		ended_note_listener(e->flow.lport, s->now);
	if (s->new == STATE_CLOSE && s->old != STATE_LISTEN)
		report_ending(e->ending, s->tcp && sock_is_established(s->tcp, s->old, conn && conn->early));
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

/* Sends the transition, or holds it back in the record until the addresses are known. */
static __always_inline void conn_stream(const struct step *s, struct closing *c)
{
	struct event *e = &c->life.event;
	struct conn *conn = s->conn;

	e->cookie = bpf_get_socket_cookie(s->sk);
	if (conn && conn->pending_ns)
		conn_send_pending(conn, &e->flow, e->device, e->cookie);
	if (conn)
		conn_advance(s, e);
	if (conn && conn_incomplete(&e->flow, e->new)) {
		conn->pending_ns = e->time_ns;
		conn->pending_duration_ns = e->duration_ns;
		conn->pending_old = e->old;
		conn->pending_at_least = e->at_least;
		return;
	}
	if (e->ending == ENDING_ORPHANED && s->tcp) {
		closing_clear(c);
		if (!closing_begin(c, s->tcp))
			return;
	}
	report_event(e, sizeof(*e));
}

/* Reports a connection that ended; other transitions only update the record. */
static __always_inline void conn_finish(const struct step *s, struct closing *c)
{
	struct event *e = &c->life.event;
	struct life *life = &c->life;
	struct conn *conn = s->conn;

	if (conn)
		conn_advance(s, e);
	if (!s->tcp || s->old == STATE_LISTEN)
		return;
	e->cookie = bpf_get_socket_cookie(s->sk);
	closing_clear(c);
	if (conn)
		sock_life(life, conn, s->tcp, s->old, s->now);
	sock_counts(life, s->tcp, s->old, conn);
	http_life_tell(life, s->tcp);
	if (e->ending != ENDING_ORPHANED || closing_begin(c, s->tcp))
		report_event(e, sizeof(*life));
}

/* Completes the last transition: its ports, its ending, and TIME_WAIT in place of CLOSE. */
static __always_inline void conn_end(struct step *s, struct event *e)
{
	s->tcp = bpf_skc_to_tcp_sock(s->sk);
	if (!s->tcp)
		return;
	sock_last_flow(&e->flow, s->tcp);
	e->ending = sock_ending(s->tcp, s->old, e->flow.lport, s->conn ? s->conn->error : 0);
	if (e->ending == ENDING_TIME_WAIT)
		e->new = STATE_TIME_WAIT;
	/* The kernel has given up: see closing_note_reset(). */
	if (e->ending == ENDING_ORPHANED && s->conn && s->conn->reset_sent)
		e->ending = ENDING_TIMEOUT;
}

/* Called by both copies of the program; `again`, the second one, acts only where the first one was skipped. */
static __always_inline int conn_transition(struct sock *sk, int old, int new, int again)
{
	struct step s = {.sk = sk, .old = old, .new = new};
	struct closing c; /* only a close that is followed needs more than the event */
	struct event *e = &c.life.event;

	*e = (struct event){.duration_ns = DURATION_UNKNOWN, .old = old, .new = new};
	if (old == new || !sock_is_tcp(sk))
		return 0;
	/* `run` keeps no record of what it does not count. */
	if (!cfg.stream && sock_netns(&sk->__sk_common) != cfg.netns)
		return 0;
	s.conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (again && (!s.conn || s.conn->state == new))
		return 0;
	sock_common_flow(&e->flow, &sk->__sk_common);
	e->device = sk->__sk_common.skc_bound_dev_if;
	s.now = e->time_ns = bpf_ktime_get_ns(); /* after all reads: the clock waits for them */
	if (!s.conn)
		report_loss(LOSS_STORAGE);
	if (new == STATE_CLOSE)
		conn_end(&s, e);
	if (conn_streams_transitions())
		conn_stream(&s, &c);
	else if (filter_streams_lives())
		conn_finish(&s, &c);
	else
		conn_count(&s, &c);
	if ((cfg.http || cfg.stream == STREAM_HTTP) && old == STATE_CLOSE)
		http_count_begin(sk);
	if (cfg.http && new == STATE_CLOSE)
		http_count_end(sk, e->flow.lport, e->ending, s.conn ? s.conn->closer : CLOSER_NONE);
	return 0;
}

/* Remembers an ICMP error in SYN_SENT, which the application may fetch and so clear. */
static __always_inline int conn_note_error(const struct sock *sk)
{
	struct conn *conn;

	if (!sock_is_tcp(sk) || sk->__sk_common.skc_state != STATE_SYN_SENT)
		return 0;
	conn = bpf_sk_storage_get(&conns, (void *)sk, 0, 0);
	if (conn)
		conn->error = sock_icmp_error(sk);
	return 0;
}

/* The kernel frees a socket. If its record is not in CLOSE, a transition was missed, and no later one will show it. */
static __always_inline int conn_destroy(struct sock *sk)
{
	const struct conn *conn = sock_is_tcp(sk) ? bpf_sk_storage_get(&conns, sk, 0, 0) : 0;

	if (conn && conn->state && conn->state != STATE_CLOSE)
		report_loss(LOSS_REENTRY);
	return 0;
}

#endif
