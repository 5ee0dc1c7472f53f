/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that owns a socket. The current task is taken as the owner only where it is certain to be: at connect()
 * and listen(), and at an accepted connection's first read. Other owners come from the kernel's file tables.
 */
#ifndef SYNWARDEN_OWNER_H
#define SYNWARDEN_OWNER_H

#include "report.bpf.h"
#include "sock.bpf.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

/* The first reader of an accepted connection is its owner, unless it is a kernel thread. */
static __always_inline int owner_read(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct conn *conn = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (!conn || conn->role != ROLE_SERVER || conn->owner.kind == OWNER_ACCEPT)
		return 0;
	if (!sk->sk_lock.owned || task->flags & PF_KTHREAD) /* the receive softirq, or the kernel itself */
		return 0;
	sock_owner(&conn->owner, task, OWNER_ACCEPT);
	return 0;
}

static __always_inline int owner_exit(struct task_struct *task)
{
	__u32 pid = task->tgid, gone = 1;

	if (task->signal->live.counter == 0 && bpf_map_lookup_elem(&listen_pids, &pid))
		bpf_map_update_elem(&listen_pids, &pid, &gone, BPF_EXIST);
	return 0;
}

/* Names the task as the holder of the socket, if its owner is not known in this session. 0: it is known. */
static __always_inline int owner_name(struct conn *conn, const struct sock *sk, int listens, struct task_struct *task,
				      __u64 session)
{
	/* Without a stream nothing follows the owners: one that was found earlier may have changed. */
	if (conn->owner.pid > 1 && ((!listens && cfg.stream) || conn->session == session))
		return 0;
	conn->session = session;
	if (listens && !conn->state)
		conn->state = STATE_LISTEN; /* so that a child's first transition agrees with it */
	if (!conn->begun_ns)
		sock_adopt(conn, sk, sk->__sk_common.skc_state, bpf_ktime_get_ns());
	if (conn->owner.kind != OWNER_LISTEN || conn->owner.pid != task->tgid)
		sock_owner(&conn->owner, task, OWNER_SNAPSHOT);
	return 1;
}

/* Lists the holder of a listener for the reader. */
static __always_inline void owner_list(struct bpf_iter__task_file *ctx, struct conn *conn, struct sock *sk,
				       struct holder *holder)
{
	__u32 pid = conn->owner.pid, alive = 0;

	bpf_map_update_elem(&listen_pids, &pid, &alive, BPF_ANY);
	holder->cookie = bpf_get_socket_cookie(sk);
	holder->owner = conn->owner;
	if (bpf_seq_write(ctx->meta->seq, holder, sizeof(*holder)))
		conn->session = 0; /* the reader's buffer is full: the kernel shows this file again */
}

/*
 * The file of an MPTCP socket has one above TCP. Its first subflow is what the tracker sees, but not as a pointer that
 * the verifier lets have a record: so its owner is kept by its address, see sock_adopt_owner().
 */
static __always_inline void owner_hold_mptcp(struct bpf_iter__task_file *ctx, const struct sock *sk)
{
	const struct sock_common *first = BPF_CORE_READ((const struct mptcp_sock *)sk, first);
	struct task_struct *task = ctx->task;
	struct holder holder = {};
	__u64 key = (__u64)first;

	if (!first || !task)
		return;
	sock_owner(&holder.owner, task, OWNER_SNAPSHOT);
	bpf_map_update_elem(&mptcp_owners, &key, &holder.owner, holder.owner.pid == 1 ? BPF_NOEXIST : BPF_ANY);
	if (BPF_CORE_READ(first, skc_state) != STATE_LISTEN)
		return;
	sock_read_flow(&holder.flow, first);
	holder.cookie = BPF_CORE_READ(first, skc_cookie.counter);
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
}

/*
 * Names the holder of a socket whose owner is not known, and lists the holders of listeners. Of a listener's holders
 * the first one found counts, but pid 1 only if there is no other (it keeps what it hands to a service).
 */
static __always_inline int owner_hold(struct bpf_iter__task_file *ctx)
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
	if (sk && sk->sk_protocol == IPPROTO_MPTCP)
		owner_hold_mptcp(ctx, sk);
	if (!sk || !sock_is_tcp(sk))
		return 0;
	listens = sk->__sk_common.skc_state == STATE_LISTEN;
	sock_common_flow(&holder.flow, &sk->__sk_common);
	if (!listens && !filter_wants_flow(&holder.flow))
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn)
		return 0;
	session = ctx->meta->session_id + 1;
	owners_session = session;
	if (owner_name(conn, sk, listens, task, session) && listens)
		owner_list(ctx, conn, sk, &holder);
	return 0;
}

#endif
