// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs.
 *
 * filter_packet judges each packet (judge.bpf.h). Each gets exactly one reason, and report_verdict() is the only exit.
 * explain_packet asks the same judges what they would do with a packet.
 *
 * track_state follows every TCP socket by the kernel's own transitions. It is attached twice, because a tracepoint
 * program does not run where it would interrupt itself (a connect() interrupted by the receive softirq): the second
 * copy then runs, and does nothing if the first one did.
 */
#include "maps.bpf.h"

#include "census.bpf.h"
#include "closing.bpf.h"
#include "conn.bpf.h"
#include "http.bpf.h"
#include "judge.bpf.h"
#include "owner.bpf.h"
#include "report.bpf.h"
#include "ring.bpf.h"
#include "segment.bpf.h"
#include "tally.bpf.h"
#include "watch.bpf.h"

SEC("license")
const char LICENSE[] = "GPL";

SEC("xdp.frags")
int filter_packet(struct xdp_md *ctx)
{
	const struct mode mode = {};
	__u32 len = bpf_xdp_get_buff_len(ctx);
	struct packet pkt = {};
	enum reason reason = judge(ctx, len, &pkt, &mode);

	if (watch_asks(reason))
		watch_verdict(ctx, &pkt, reason);
	return report_verdict(reason, len);
}

/* Attached nowhere: run by BPF_PROG_TEST_RUN, with a struct explanation as the frame's metadata. */
SEC("xdp.frags")
int explain_packet(struct xdp_md *ctx)
{
	struct explanation *answer = (void *)(long)ctx->data_meta;
	const struct mode mode = {.explains = 1, .answer = answer};
	struct packet pkt = {};

	if ((void *)(answer + 1) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	answer->reason = judge(ctx, bpf_xdp_get_buff_len(ctx), &pkt, &mode);
	return XDP_PASS;
}

/* While a `run` takes over from another, the programs of both are attached for some milliseconds: only one of each
 * counts. */
static __always_inline int in_force(void)
{
	__u32 key = 0, *current;

	if (!cfg.generation)
		return 1;
	current = bpf_map_lookup_elem(&generation, &key);
	return current && *current == cfg.generation;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(track_state, struct sock *sk, int old, int new)
{
	return in_force() ? conn_transition(sk, old, new, 0) : 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(track_state_again, struct sock *sk, int old, int new)
{
	return in_force() ? conn_transition(sk, old, new, 1) : 0;
}

/* Runs in the context of the task that reads from a socket: the first one is taken to have accepted it. */
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

/* From Linux 6.17 on, also for what could not be sent, as the kernel's own counters count it. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(track_retransmit, struct sock *sk, struct sk_buff *skb)
{
	if (in_force())
		tally_retransmit(sk);
	if (cfg.stream == STREAM_LADDER && sock_is_tcp(sk))
		segment_again(&sk->__sk_common, segment_seq(skb));
	return 0;
}

/* An ICMP error that comes while the application holds the socket, as one from this host does within connect(). */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(track_error, const struct sock *sk)
{
	return conn_note_error(sk);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(track_destroy, struct sock *sk)
{
	return in_force() ? conn_destroy(sk) : 0;
}

/* Answers of the filter that do not fit into the driver's ring. */
SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(track_unsent, struct net_device *dev, int sent, int drops)
{
	if (drops > 0 && in_force() && dev->nd_net.net->ns.inum == cfg.netns && local_filters(dev->ifindex))
		report_losses(LOSS_ANSWERS, drops);
	return 0;
}

/* The same, in drivers that report each. */
SEC("tp_btf/xdp_exception")
int BPF_PROG(track_refused, struct net_device *dev, void *program, __u32 action)
{
	if (action == XDP_TX && in_force() && dev->nd_net.net->ns.inum == cfg.netns && local_filters(dev->ifindex))
		report_loss(LOSS_ANSWERS);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(track_synack, struct sock *sk, struct request_sock *req)
{
	if (in_force())
		tally_synack(req);
	if (cfg.stream == STREAM_LADDER)
		segment_again(&req->__req_common, segment_synack_seq(req));
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(track_reset_sent, struct sock *sk, struct sk_buff *skb)
{
	return in_force() ? tally_reset_sent(sk, skb) : 0;
}

/*
 * From 6.11 on, the kernel names the socket that the packet was for. Before, a reason tells what was dropped on its way
 * there.
 */
SEC("tp_btf/kfree_skb")
int track_closing(__u64 *ctx)
{
	const struct sock_common *sk;

	if (!closing_some())
		return 0;
	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb, rx_sk)) {
		sk = (const void *)ctx[3];
		if (!sk || BPF_CORE_READ(sk, skc_state) != STATE_TIME_WAIT)
			return 0;
	} else if (ctx[2] != bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED)) {
		return 0;
	}
	return closing_receive((const struct sk_buff *)ctx[0]);
}

SEC("tp_btf/timer_expire_entry")
int BPF_PROG(track_expiry, struct timer_list *timer)
{
	return closing_some() ? closing_expire(timer) : 0;
}

/* Asked now and then by the user side. */
SEC("syscall")
int sweep_closings(void *ctx)
{
	return closing_sweep();
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(track_reset_rcvd, struct sock *sk)
{
	return in_force() ? tally_reset_received(sk) : 0;
}

/* Every packet of the machine, in all network namespaces, while a ladder is shown. */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(see_sent, struct sk_buff *skb)
{
	return segment_sent(skb);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(see_arrived, struct sk_buff *skb)
{
	return segment_arrived(skb);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(see_dropped, struct sk_buff *skb, void *location, __u32 reason)
{
	return segment_dropped(skb, reason);
}

/* Every packet of the machine's sockets, attached to the root of the cgroup hierarchy. 0 would refuse the packet: there
 * is one way out, and it returns 1. */
SEC("cgroup_skb/ingress")
int see_incoming(struct __sk_buff *skb)
{
	http_see(skb, HTTP_IN);
	return 1;
}

SEC("cgroup_skb/egress")
int see_outgoing(struct __sk_buff *skb)
{
	http_see(skb, HTTP_OUT);
	return 1;
}

/* Names the owners of sockets that are older than the tracker, and lists the holders of listeners. */
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
