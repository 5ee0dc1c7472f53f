// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs.
 *
 * filter_packet asks of each packet, in this order:
 *   1. Is it sound?              Headers that lie and flags that cannot be are dropped, each for a reason of its own.
 *   2. Is its source allowed?    Then it passes: the operator's word wins over every rule below.
 *   3. Is its source blocked?    Then it is dropped, of whatever protocol it is.
 *   4. Is it a SYN?              All else passes, but for segments to an armed port that belong to no socket and
 *                                carry no valid cookie: what is established is never touched.
 *   5. Is the source in limit?   A SYN over --source-limit is dropped.
 *   6. Is the port in budget?    A SYN over --port-budget, to an address that we serve, is answered with a cookie.
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
#include "evidence.bpf.h"
#include "lists.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"
#include "syncookie.bpf.h"

SEC("license")
const char LICENSE[] = "GPL";

/* A SYN that its port's budget has no room for. */
static __always_inline enum reason judge_over_budget(struct xdp_md *ctx, const struct packet *pkt,
						     const struct addr *source, __u64 hash, struct port_count *count,
						     __u64 now)
{
	enum reason reason = REASON_PORT_BUDGET;

	if (!budget_is_served(pkt, count))
		return REASON_NOT_SERVED;
	if (cfg.challenge) {
		struct packet copy = *pkt; /* whose address may be taken: the caller's stays in registers */

		if (syncookie_is_verified(source, hash, now))
			return REASON_VERIFIED;
		reason = syncookie_challenge(ctx, &copy);
	}
	if (reason == REASON_CHALLENGED)
		count->challenged++;
	else if (reason == REASON_PORT_BUDGET || reason == REASON_ACCEPT_FULL)
		count->dropped++;
	return reason;
}

static __always_inline enum reason judge_syn(struct xdp_md *ctx, const struct packet *pkt, __u32 slot,
					     struct port_count *count)
{
	struct budget *budget;
	struct addr source;
	__u64 now, hash;

	if (!cfg.sketch && !cfg.budget_batch_ns)
		return REASON_SYN;
	now = bpf_ktime_get_coarse_ns();
	source_key(&source, &pkt->saddr);
	hash = source_hash(&source);
	if (cfg.sketch && !budget_admit_source(&source, hash, now))
		return REASON_SOURCE_LIMIT;
	if (!cfg.budget_batch_ns || !slot)
		return REASON_SYN;
	budget = bpf_map_lookup_elem(&budgets, &slot);
	if (!budget || !count)
		return REASON_SYN;
	if (budget->armed_until_ns > now)
		evidence_count_source(slot, hash, now);
	if (budget_admit_port(budget, count, slot, pkt->dport, now))
		return REASON_SYN;
	return judge_over_budget(ctx, pkt, &source, hash, count, now);
}

/* A segment to an armed port: of a socket, of an answered challenge, or of nothing that we know. */
static __always_inline enum reason judge_segment(struct xdp_md *ctx, const struct packet *pkt)
{
	__u32 slot = budget_slot(pkt->dport);
	struct port_count *count = bpf_map_lookup_elem(&ports, &slot);
	struct packet copy = *pkt;
	struct addr source;
	enum reason reason;

	if (!count)
		return REASON_SEGMENT;
	reason = syncookie_check(ctx, &copy);
	if (reason == REASON_SEGMENT)
		return reason;
	if (reason == REASON_COOKIE_ACK) {
		source_key(&source, &pkt->saddr);
		syncookie_verify(&source, source_hash(&source), bpf_ktime_get_coarse_ns());
		count->answered++;
		return reason;
	}
	return budget_is_served(pkt, count) ? reason : REASON_SEGMENT;
}

static __always_inline enum reason judge(struct xdp_md *ctx, __u32 len)
{
	struct packet pkt = {};
	enum reason reason = parse_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end, len, &pkt);
	struct port_count *count = 0;
	__u32 slot = 0;

	if (reason != REASON_MAX)
		return reason;
	if (parse_is_syn(&pkt)) {
		slot = budget_slot(pkt.dport);
		count = bpf_map_lookup_elem(&ports, &slot);
		if (count)
			count->syns++;
	}
	if (lists_match(&allowed, LIST_ALLOW, &pkt.saddr))
		return REASON_ALLOWED;
	if (lists_match(&blocked, LIST_BLOCK, &pkt.saddr))
		return REASON_BLOCKED;
	if (pkt.kind == PACKET_OPAQUE)
		return REASON_NOT_LINEAR;
	if (pkt.kind == PACKET_FRAGMENT)
		return REASON_FRAGMENT;
	if (pkt.kind != PACKET_TCP)
		return REASON_NOT_TCP;
	if (parse_is_syn(&pkt))
		return judge_syn(ctx, &pkt, slot, count);
	if (cfg.challenge && budget_is_armed(pkt.dport))
		return judge_segment(ctx, &pkt);
	return REASON_SEGMENT;
}

SEC("xdp.frags")
int filter_packet(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);

	return report_verdict(judge(ctx, len), len);
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
