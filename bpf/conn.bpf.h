/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a connection: one record in each socket's own storage, which lives and dies with the socket and is
 * copied from a listener to the children that it accepts. What the kernel reports is made whole here: CLOSE is
 * told apart into TIME_WAIT and the endings, a transition whose addresses the kernel sets a moment later waits for
 * them, and owners are only ever taken where the current task is known to be one.
 */
#ifndef SYNWARDEN_CONN_H
#define SYNWARDEN_CONN_H

#include <linux/errno.h>

#include "parse.bpf.h"
#include "report.bpf.h"

#define AF_INET	   2
#define AF_INET6   10
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

#define INET_FLAGS_TRANSPARENT 15 /* include/net/inet_sock.h; the enum has no name to look it up by */

static __always_inline int conn_is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

/* What every kind of socket has: full ones, TIME_WAIT's and half-open ones. */
static __always_inline void conn_common_flow(struct flow *flow, struct sock_common *sk)
{
	int i;

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

/* Addresses and ports of a socket. `sk` stays a pointer to a full socket. */
static __always_inline void conn_flow(struct flow *flow, struct sock *sk)
{
	const struct tcp_sock *tcp;

	flow->netns = sk->__sk_common.skc_net.net->ns.inum;
	conn_common_flow(flow, &sk->__sk_common);
	/* At the last transition the socket has left its port already; inet_sport still holds it. */
	if (!flow->lport) {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			flow->lport = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
	}
}

static __always_inline void conn_own_by(struct owner *owner, struct task_struct *task, enum owner_kind kind)
{
	owner->pid = task->tgid;
	owner->kind = kind;
	owner->start_ns = task->group_leader->start_boottime;
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
}

/* How the socket ended (kernel: tcp_reset(), tcp_write_err(), tcp_done(), tcp_time_wait(), tcp_close()). */
static __always_inline enum ending conn_ending(const struct sock *sk, int old)
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
		if (sk->__sk_common.skc_flags & (1UL << bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
			return ENDING_TIME_WAIT;
		if (sk->__sk_common.skc_flags & (1UL << bpf_core_enum_value(enum sock_flags, SOCK_DEAD)))
			return ENDING_ORPHANED;
		return ENDING_RESET_SENT;
	default:
		return ENDING_RESET_SENT;
	}
}

static __always_inline void conn_send(struct event *e, const struct conn *conn)
{
	if (conn)
		e->owner = conn->owner;
	report_event(e);
}

/* Sends the event that waited for its addresses. */
static __always_inline void conn_send_pending(struct event *e, struct conn *conn)
{
	struct event first = *e;

	first.time_ns = conn->pending_ns;
	first.duration_ns = conn->pending_duration_ns;
	first.old = conn->pending_old;
	first.new = conn->state;
	first.ending = ENDING_NONE;
	conn->pending_ns = 0;
	conn_send(&first, conn);
}

/* Somebody listens on the port. Its slot is given out once and kept: counters must not change hands. */
static __always_inline void conn_listen(__u32 port)
{
	__u32 first = 0, slot, *used = bpf_map_lookup_elem(&port_slots, &first);
	struct listener *listener = bpf_map_lookup_elem(&listeners, &port);

	if (!listener || !used)
		return;
	listener->listening = 1;
	if (listener->slot)
		return;
	slot = __sync_fetch_and_add(used, 1) + 1;
	if (slot < MAX_PORTS)
		listener->slot = slot;
	else
		report_loss(LOSS_PORTS);
}

/* A listen() without a bind() has no port yet: the next census finds it. */
static __always_inline void conn_listen_begins(__u32 port, __u64 now)
{
	struct listener *listener = bpf_map_lookup_elem(&listeners, &port);

	if (!port)
		return;
	if (listener)
		listener->since_ms = now / 1000000;
	conn_listen(port);
}

/*
 * An address and port that a client has reached. A host that connects to itself proves nothing: a port that it forwards
 * to a container may have a listener of its own beside it.
 */
static __always_inline void conn_served(const struct flow *flow)
{
	struct served key = {.port = flow->lport};
	__u32 seen = 1;

	if (flow->laddr.halves[0] == flow->raddr.halves[0] && flow->laddr.halves[1] == flow->raddr.halves[1])
		return;
	__builtin_memcpy(key.words, flow->laddr.words, sizeof(key.words));
	if (!bpf_map_lookup_elem(&served, &key) && bpf_map_update_elem(&served, &key, &seen, BPF_ANY))
		report_loss(LOSS_SERVED);
}

/* Whether the socket may have an address that is not this host's: that of a connection that TPROXY took. */
static __always_inline int conn_is_transparent(struct sock_common *sk)
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

static __always_inline void conn_completed(struct sock *sk, const struct flow *flow)
{
	__u32 port = flow->lport, slot;
	const struct listener *listener = bpf_map_lookup_elem(&listeners, &port);
	struct port_count *count;

	if (!listener)
		return;
	if (!conn_is_transparent(&sk->__sk_common))
		conn_served(flow);
	slot = listener->slot;
	count = bpf_map_lookup_elem(&ports, &slot);
	if (count)
		report_add(&count->completed, 1);
}

/* The owner at this transition, where the current task is one; a child keeps its listener's only while that one lives.
 */
static __always_inline void conn_note_owner(struct conn *conn, int old, int new)
{
	__u32 pid, alive = 0, *dead;

	if (old == STATE_CLOSE && (new == STATE_SYN_SENT || new == STATE_LISTEN)) {
		conn_own_by(&conn->owner, bpf_get_current_task_btf(),
			    new == STATE_LISTEN ? OWNER_LISTEN : OWNER_CONNECT);
		if (new == STATE_LISTEN) {
			pid = conn->owner.pid;
			bpf_map_update_elem(&listen_pids, &pid, &alive, BPF_ANY);
		}
	} else if (old == STATE_LISTEN && new == STATE_SYN_RECV) {
		pid = conn->owner.pid;
		dead = bpf_map_lookup_elem(&listen_pids, &pid);
		if (dead && *dead)
			__builtin_memset(&conn->owner, 0, sizeof(conn->owner));
	}
}

/* Brings the record to `new`; returns how long `old` lasted. `counts`: a gap is a loss of ours. */
static __always_inline __u64 conn_advance(struct conn *conn, int old, int new, __u64 now, int counts)
{
	__u64 duration = DURATION_UNKNOWN;

	if (conn->state && conn->state != old) {
		if (counts)
			report_loss(LOSS_REENTRY);
	} else if (conn->since_ns)
		duration = now - conn->since_ns;
	if (old == STATE_LISTEN && new == STATE_SYN_RECV) {
		conn->accepted = 1;
		duration = DURATION_UNKNOWN; /* the listener's age is not the child's */
	} else if (old == STATE_CLOSE) {
		conn->accepted = 0;
	}
	conn->state = new;
	conn->since_ns = now;
	if (cfg.stream)
		conn_note_owner(conn, old, new);
	return duration;
}

/* Whether the kernel has yet to set an address that belongs to this transition. */
static __always_inline int conn_incomplete(const struct flow *flow, int new)
{
	return (new == STATE_SYN_SENT && !flow->lport) || (new == STATE_SYN_RECV && !flow->rport);
}

/* Sends the transition, or lets it wait in the record until the addresses are known. */
static __always_inline void conn_stream(struct event *e, struct conn *conn)
{
	if (conn && conn_incomplete(&e->flow, e->new)) {
		conn->pending_ns = e->time_ns;
		conn->pending_duration_ns = e->duration_ns;
		conn->pending_old = e->old;
		return;
	}
	conn_send(e, conn);
}

/* `again`: the second copy of the program, which acts only where the first one was skipped, and so needs a record to
 * tell. */
static __always_inline int conn_transition(struct sock *sk, int old, int new, int again)
{
	struct event e = {.time_ns = bpf_ktime_get_ns(), .duration_ns = DURATION_UNKNOWN, .old = old, .new = new};
	struct conn *conn;
	int ours;

	if (old == new || !conn_is_tcp(sk))
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (conn ? conn->state == new : again)
		return 0;
	conn_flow(&e.flow, sk);
	ours = e.flow.netns == cfg.netns;
	if (!conn && (ours || cfg.stream))
		report_loss(LOSS_STORAGE);
	if (new == STATE_CLOSE)
		e.ending = conn_ending(sk, old);
	if (e.ending == ENDING_TIME_WAIT)
		e.new = STATE_TIME_WAIT;
	if (cfg.stream) {
		e.cookie = bpf_get_socket_cookie(sk);
		if (conn && conn->pending_ns)
			conn_send_pending(&e, conn);
	}
	if (conn)
		e.duration_ns = conn_advance(conn, old, new, e.time_ns, ours || cfg.stream);
	if (ours) {
		report_transition(old, e.new, e.duration_ns);
		if (new == STATE_LISTEN)
			conn_listen_begins(e.flow.lport, e.time_ns);
		if (old == STATE_SYN_RECV && new == STATE_ESTABLISHED && conn && conn->accepted)
			conn_completed(sk, &e.flow);
	}
	if (cfg.stream)
		conn_stream(&e, conn);
	return 0;
}

/* The first reader of an accepted connection is its owner, if it is a process that reads for itself. */
static __always_inline int conn_read(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct conn *conn = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (!conn || !conn->accepted || conn->owner.kind == OWNER_ACCEPT)
		return 0;
	if (!sk->sk_lock.owned || task->flags & PF_KTHREAD) /* the receive softirq, or the kernel for itself */
		return 0;
	conn_own_by(&conn->owner, task, OWNER_ACCEPT);
	return 0;
}

static __always_inline int conn_retransmit(struct sock *sk)
{
	struct conn *conn = bpf_sk_storage_get(&conns, sk, 0, 0);
	struct event e = {};

	if (!conn || !conn->pending_ns)
		return 0;
	conn_flow(&e.flow, sk);
	e.cookie = bpf_get_socket_cookie(sk);
	conn_send_pending(&e, conn);
	return 0;
}

static __always_inline int conn_exit(struct task_struct *task)
{
	__u32 pid = task->tgid, gone = 1;

	if (task->signal->live.counter == 0 && bpf_map_lookup_elem(&listen_pids, &pid))
		bpf_map_update_elem(&listen_pids, &pid, &gone, BPF_EXIST);
	return 0;
}

/*
 * Names the holder of a socket whose owner is not known, and tells the reader who holds which listener. Of a listener's
 * holders the first one found counts, but pid 1 only if there is no other (it keeps what it hands to a service).
 */
static __always_inline int conn_own(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder holder = {};
	struct socket *socket;
	struct conn *conn;
	struct sock *sk;
	__u64 session;
	int listens;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : 0;
	if (!sk || !conn_is_tcp(sk))
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn)
		return 0;
	listens = sk->__sk_common.skc_state == STATE_LISTEN;
	session = ctx->meta->session_id + 1;
	if (conn->owner.pid > 1 && (!listens || conn->session == session))
		return 0;
	conn->session = session;
	if (listens && !conn->state)
		conn->state = STATE_LISTEN; /* so that a child's first transition has something to agree with */
	if (conn->owner.kind != OWNER_LISTEN || conn->owner.pid != task->tgid)
		conn_own_by(&conn->owner, task, OWNER_SNAPSHOT);
	if (!listens)
		return 0;
	holder.cookie = bpf_get_socket_cookie(sk);
	conn_flow(&holder.flow, sk);
	holder.owner = conn->owner;
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
	return 0;
}

/* A connection to a port that somebody listens on: a child of that listener, so its address is served. */
static __always_inline void conn_count_child(struct sock_common *sk)
{
	struct flow flow = {};

	if (conn_is_transparent(sk))
		return;
	conn_common_flow(&flow, sk);
	conn_served(&flow);
}

static __always_inline int conn_count(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_timewait_sock *tw;
	struct listener *listener;
	struct census *census;
	__u32 state, slot, key = CENSUS_WORK;

	census = bpf_map_lookup_elem(&censuses, &key);
	if (!sk || !census)
		return 0;
	state = sk->skc_state;
	if (state == STATE_TIME_WAIT) {
		tw = bpf_skc_to_tcp_timewait_sock(sk);
		if (tw)
			state = tw->tw_sk.tw_substate; /* an orphaned FIN_WAIT2 waits in the same kind of socket */
	}
	if (state >= STATE_MAX)
		return 0;
	census->states[state]++;
	key = sk->skc_num;
	if (state == STATE_LISTEN) {
		census->listening[key >> 6 & 1023] |= 1ULL << (key & 63);
		conn_listen(key);
		return 0;
	}
	listener = bpf_map_lookup_elem(&listeners, &key);
	slot = listener ? listener->slot : 0;
	if (state == STATE_NEW_SYN_RECV) {
		if (slot < MAX_PORTS)
			census->half_open[slot]++;
	} else if (census->first && slot && listener && listener->listening && state != STATE_SYN_SENT) {
		conn_count_child(sk);
	}
	return 0;
}

#endif
