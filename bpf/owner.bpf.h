/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns a socket. An owner is only ever taken where the current task is known to be one: at connect() and listen(),
 * at an accepted connection's first read, and from the kernel's file tables.
 */
#ifndef SYNWARDEN_OWNER_H
#define SYNWARDEN_OWNER_H

#include "report.bpf.h"
#include "sock.bpf.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

/* The first reader of an accepted connection is its owner, if it is a process that reads for itself. */
static __always_inline int owner_read(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct conn *conn = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (!conn || conn->role != ROLE_SERVER || conn->owner.kind == OWNER_ACCEPT)
		return 0;
	if (!sk->sk_lock.owned || task->flags & PF_KTHREAD) /* the receive softirq, or the kernel for itself */
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

/*
 * Names the holder of a socket whose owner is not known, and tells the reader who holds which listener. Of a listener's
 * holders the first one found counts, but pid 1 only if there is no other (it keeps what it hands to a service).
 */
static __always_inline int owner_hold(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder holder = {};
	struct socket *socket;
	struct conn *conn;
	struct sock *sk;
	__u32 pid, alive = 0;
	__u64 session;
	int listens;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : 0;
	if (!sk || !sock_is_tcp(sk))
		return 0;
	listens = sk->__sk_common.skc_state == STATE_LISTEN;
	sock_flow(&holder.flow, sk);
	if (!listens && !report_wants_flow(&holder.flow))
		return 0;
	conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn)
		return 0;
	owners_session = session = ctx->meta->session_id + 1;
	/* Without a stream nobody follows the owners: what was found the last time may have changed since. */
	if (conn->owner.pid > 1 && ((!listens && cfg.stream) || conn->session == session))
		return 0;
	conn->session = session;
	if (listens && !conn->state)
		conn->state = STATE_LISTEN; /* so that a child's first transition has something to agree with */
	if (!conn->begun_ns)
		sock_adopt(conn, sk, sk->__sk_common.skc_state, bpf_ktime_get_ns());
	if (conn->owner.kind != OWNER_LISTEN || conn->owner.pid != task->tgid)
		sock_owner(&conn->owner, task, OWNER_SNAPSHOT);
	if (!listens)
		return 0;
	pid = conn->owner.pid;
	bpf_map_update_elem(&listen_pids, &pid, &alive, BPF_ANY);
	holder.cookie = bpf_get_socket_cookie(sk);
	holder.owner = conn->owner;
	if (bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder)))
		conn->session = 0; /* the reader's buffer is full: the kernel shows this file again */
	return 0;
}

#endif
