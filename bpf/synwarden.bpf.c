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
#include "census.bpf.h"
#include "conn.bpf.h"
#include "evidence.bpf.h"
#include "known.bpf.h"
#include "lists.bpf.h"
#include "owner.bpf.h"
#include "parse.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "ring.bpf.h"
#include "syncookie.bpf.h"
#include "verified.bpf.h"

#define BY_SENDER_NS 1000000000ULL

SEC("license")
const char LICENSE[] = "GPL";

/* A SYN that is to be answered with a cookie, if the kernel knows nothing of its connection. A port whose listener was
 * looked up in vain without a sender has that tried again after a second. */
static __always_inline enum reason judge_challenge(struct xdp_md *ctx, const struct packet *pkt, __u64 hash,
						   struct port_count *count, __u64 now)
{
	struct packet copy = *pkt; /* whose address may be taken: the caller's stays in registers */
	enum reason reason;

	copy.stranger = count->by_sender_ns < now && known_is_stranger(hash, now);
	reason = syncookie_challenge(ctx, &copy);
	if (copy.by_sender)
		count->by_sender_ns = now + BY_SENDER_NS;
	return reason;
}

/* A SYN that its port's budget has no room for. */
static __always_inline enum reason judge_over_budget(struct xdp_md *ctx, const struct packet *pkt,
						     const struct addr *source, __u64 hash, struct port_count *count,
						     int challenge, __u64 now)
{
	if (!budget_is_served(pkt, count))
		return REASON_NOT_SERVED;
	if (!challenge)
		return REASON_PORT_BUDGET;
	if (verified_admit(source, hash, now))
		return REASON_VERIFIED;
	return judge_challenge(ctx, pkt, hash, count, now);
}

/* Of a SYN that passes, whether the kernel may keep a half-open connection for it; a cookie leaves none. */
static __always_inline int may_stay_half_open(enum reason reason)
{
	switch (reason) {
	case REASON_UNREADY: /* the kernel has just shown that it does not answer all with cookies; */
	case REASON_KNOWN:   /* this one it may answer in another way */
		return 1;
	case REASON_SYN:
	case REASON_VERIFIED:
	case REASON_NOT_SERVED:
		return !known_all_get_cookies();
	default:
		return 0;
	}
}

/* Whether the source and the port have room for one more. */
static __always_inline enum reason judge_rate(struct xdp_md *ctx, const struct packet *pkt, __u32 slot,
					      struct port_count *count)
{
	const volatile struct port_rule *rule;
	struct budget *budget;
	enum reason reason;
	struct addr source;
	__u64 now, hash;

	if (!cfg.sketch && !cfg.budgets)
		return REASON_SYN;
	now = bpf_ktime_get_coarse_ns();
	hash = source_of(&source, &pkt->saddr);
	if (cfg.sketch && !budget_admit_source(&source, hash, now))
		return REASON_SOURCE_LIMIT;
	if (!cfg.budgets || !slot)
		return REASON_SYN;
	rule = budget_rule(pkt->dport);
	if (!rule->batch_ns)
		return REASON_SYN;
	budget = bpf_map_lookup_elem(&budgets, &slot);
	if (!budget || !count)
		return REASON_SYN;
	if (budget->armed_until_ns > now)
		evidence_count_source(slot, hash, now);
	if (budget_admit_port(budget, count, rule, slot, pkt->dport, now))
		reason = REASON_SYN;
	else
		reason = judge_over_budget(ctx, pkt, &source, hash, count, rule->challenge, now);
	if (rule->challenge && may_stay_half_open(reason))
		known_note(hash);
	return reason;
}

/* A segment to an armed port: of a socket, of an answered challenge, or of nothing that we know. */
static __always_inline enum reason judge_segment(struct xdp_md *ctx, const struct packet *pkt)
{
	struct port_count *count = ports_count(ports_slot(pkt->dport));
	struct packet copy = *pkt;
	struct addr source;
	enum reason reason;
	__u64 hash, now;

	if (!count)
		return REASON_SEGMENT;
	reason = syncookie_check(ctx, &copy);
	if (reason == REASON_SEGMENT)
		return reason;
	now = bpf_ktime_get_coarse_ns();
	hash = source_of(&source, &pkt->saddr);
	if (reason == REASON_COOKIE_ACK) {
		count->answered += verified_note(&source, hash, copy.ack, now);
		return reason;
	}
	return verified_is_fresh(&source, hash, now) || !budget_is_served(pkt, count) ? REASON_SEGMENT : reason;
}

/* The lists, which hold for every packet whose addresses are known; REASON_MAX: they do not say. */
static __always_inline enum reason judge_source(const struct packet *pkt)
{
	if (lists_match(&allowed, LIST_ALLOW, &pkt->saddr))
		return REASON_ALLOWED;
	return lists_match(&blocked, LIST_BLOCK, &pkt->saddr) ? REASON_BLOCKED : REASON_MAX;
}

/* `reason`: what the lists said. */
static __always_inline enum reason judge_syn(struct xdp_md *ctx, const struct packet *pkt, enum reason reason)
{
	__u32 slot = ports_slot(pkt->dport), verdict;
	struct port_count *count = ports_count(slot);

	if (reason == REASON_MAX)
		reason = judge_rate(ctx, pkt, slot, count);
	verdict = report_verdict_of(reason);
	if (count && verdict < VERDICT_MAX)
		count->syns[verdict]++;
	return reason;
}

static __always_inline enum reason judge(struct xdp_md *ctx, __u32 len)
{
	struct packet pkt = {};
	enum reason reason = parse_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end, len, &pkt);

	if (reason != REASON_MAX)
		return reason;
	reason = judge_source(&pkt);
	if (parse_is_syn(&pkt))
		return judge_syn(ctx, &pkt, reason);
	if (reason != REASON_MAX)
		return reason;
	if (pkt.kind == PACKET_OPAQUE)
		return REASON_NOT_LINEAR;
	if (pkt.kind == PACKET_FRAGMENT)
		return REASON_FRAGMENT;
	if (pkt.kind != PACKET_TCP)
		return REASON_NOT_TCP;
	if (cfg.challenge && budget_challenges(pkt.dport))
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
	return owner_read(sk);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(track_exit, struct task_struct *task)
{
	return owner_exit(task);
}

SEC("tp_btf/tcp_retransmit_skb")
int track_retransmit(__u64 *ctx)
{
	/* From 6.17 on, what could not be sent is told too. */
	if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err) && (int)ctx[2])
		return 0;
	return conn_retransmit((struct sock *)ctx[0]);
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(track_synack, struct sock *sk, struct request_sock *req)
{
	return conn_synack_retransmit(req);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(track_reset_sent, struct sock *sk, struct sk_buff *skb)
{
	return conn_reset_sent(sk, skb);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(track_reset_rcvd, struct sock *sk)
{
	return conn_reset_received(sk);
}

/* Who holds which socket: names the owners of sockets that existed before, and lists the listeners' to the reader. */
SEC("iter/task_file")
int own_sockets(struct bpf_iter__task_file *ctx)
{
	return owner_hold(ctx);
}

/* For one ring, before the tracker is attached. */
SEC("syscall")
int touch_ring(__u32 *ring)
{
	return ring_touch(*ring);
}

/* The kernel's own tables, by state; half-open ones and accept queues also by port. */
SEC("iter/tcp")
int count_sockets(struct bpf_iter__tcp *ctx)
{
	return census_count(ctx);
}

SEC("iter/tcp")
int list_sockets(struct bpf_iter__tcp *ctx)
{
	return census_list(ctx);
}
