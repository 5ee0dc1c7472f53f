// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs.
 *
 * filter_packet asks of each packet, in this order:
 *   1. Is it sound?              Headers that lie and flags that cannot be are dropped, each for a reason of its own.
 *   2. Is its source allowed?    Then it passes: the operator's word wins over every rule below.
 *   3. Is its source blocked?    Then it is dropped, of whatever protocol it is.
 *   4. Is it a SYN?              All else passes: what is established is never touched.
 *   5. Is the source in limit?   A SYN over --source-limit is dropped.
 * Each packet gets exactly one reason, and report_verdict() is the only exit. Where bookkeeping fails, the packet
 * passes and the failure is counted.
 *
 * track_state follows the kernel's own word on every TCP socket. It stands here twice, because a tracepoint program
 * does not run where it would interrupt itself (a connect() interrupted by the receive softirq): the second copy then
 * runs, and does nothing if the first one did.
 */
#include "maps.bpf.h"

#include "budget.bpf.h"
#include "conn.bpf.h"
#include "lists.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"

char LICENSE[] SEC("license")
= "GPL";

static __always_inline enum reason judge(void *data, void *data_end, __u32 len)
{
	struct packet pkt = {};
	enum reason reason = parse_packet(data, data_end, len, &pkt);

	if (reason != REASON_MAX)
		return reason;
	if (parse_is_syn(&pkt))
		budget_count_syn(&pkt);
	if (lists_match(&allowed, &pkt.saddr))
		return REASON_ALLOWED;
	if (lists_match(&blocked, &pkt.saddr))
		return REASON_BLOCKED;
	if (pkt.kind == PACKET_OPAQUE)
		return REASON_NOT_LINEAR;
	if (pkt.kind == PACKET_FRAGMENT)
		return REASON_FRAGMENT;
	if (pkt.kind != PACKET_TCP)
		return REASON_NOT_TCP;
	if (!parse_is_syn(&pkt))
		return REASON_SEGMENT;
	if (cfg.source_interval_ns && !budget_admit_source(&pkt))
		return REASON_SOURCE_LIMIT;
	return REASON_SYN;
}

SEC("xdp.frags")
int filter_packet(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);

	return report_verdict(judge((void *)(long)ctx->data, (void *)(long)ctx->data_end, len), len);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(track_state, struct sock *sk, int old, int new)
{
	return conn_transition(sk, old, new, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(track_state_again, struct sock *sk, int old, int new)
{
	return conn_transition(sk, old, new, 1);
}

/* Runs in the context of whoever reads from a socket: the first one to do so accepted it. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(track_reader, struct sock *sk)
{
	return conn_read(sk);
}

/* A connect that is not answered: by now its local port is known. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(track_retransmit, struct sock *sk)
{
	return conn_retransmit(sk);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(track_exit, struct task_struct *task)
{
	return conn_exit(task);
}

/* Who holds which socket: names the owners of sockets that existed before, and lists the listeners' to the reader. */
SEC("iter/task_file")
int own_sockets(struct bpf_iter__task_file *ctx)
{
	return conn_own(ctx);
}

/* The kernel's own tables, by state; half-open ones also by port. */
SEC("iter/tcp")
int count_sockets(struct bpf_iter__tcp *ctx)
{
	return conn_count(ctx);
}
