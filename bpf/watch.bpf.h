/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the filter did with the segments that a ladder shows (struct watch): told for all reasons but `segment` and
 * `syn`, so that ordinary packets do not ask. If a record has no room, it is counted as lost, and the packet goes its
 * way.
 */
#ifndef SYNWARDEN_WATCH_H
#define SYNWARDEN_WATCH_H

#include "filter.bpf.h"
#include "report.bpf.h"
#include "scratch.bpf.h"
#include "segments.h"
#include "sound.bpf.h"
#include "synack.bpf.h"

#define WATCH_SECOND_NS 1000000000ULL
#define OPT_MPTCP	30

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* a ladder that gave up its rights renews it */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct watch);
} watches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WATCH_BYTES);
} sightings SEC(".maps");

/* The watch, if there is one: this is all that a packet pays while no ladder runs. */
static __always_inline struct watch *watch_find(void)
{
	__u32 key = 0;
	struct watch *watch = bpf_map_lookup_elem(&watches, &key);

	return watch && *(volatile __u64 *)&watch->until_ns ? watch : 0;
}

/* Whether it still holds. The ladder of one that has passed is gone, and its watch is removed. */
static __always_inline int watch_holds(struct watch *watch, __u64 now)
{
	__u64 until = watch->until_ns;

	if (until > now)
		return 1;
	__sync_val_compare_and_swap(&watch->until_ns, until, 0);
	return 0;
}

static __always_inline int watch_wants(const struct watch *watch, const struct packet *pkt)
{
	struct flow flow = {
		.laddr = pkt->daddr,
		.raddr = pkt->saddr,
		.lport = pkt->dport,
		.rport = pkt->sport,
		.netns = cfg.netns,
	};

	return pkt->kind == PACKET_TCP && filter_takes(&watch->filter, &flow);
}

/* Whether one more may be told in this second. Of CPUs that begin one at once, some may tell one more. */
static __always_inline int watch_admit(struct watch *watch, __u64 now)
{
	__u64 begin = now / WATCH_SECOND_NS << 32, told = watch->told;

	if (told < begin)
		__sync_val_compare_and_swap(&watch->told, told, begin);
	return (__u32)__sync_fetch_and_add(&watch->told, 1) < WATCH_RATE;
}

static __always_inline void watch_tell(struct watch *watch, struct segment *segment, __u64 now)
{
	segment->time_ns = now;
	segment->netns = cfg.netns;
	segment->segs = 1;
	segment->what = RING_SEGMENT;
	if (!watch_admit(watch, now) || bpf_ringbuf_output(&sightings, segment, sizeof(*segment), BPF_RB_NO_WAKEUP))
		report_loss(LOSS_WATCHES);
}

/* What a TCP header says, whose options were found. */
static __always_inline void watch_read(struct segment *segment, const struct scratch *s)
{
	const struct tcphdr *tcp = (const void *)s->tcp;
	__u32 at = s->option_at[OPT_MSS] & 63;

	segment->seq = bpf_ntohl(tcp->seq);
	segment->flags = s->tcp[13];
	segment->ack = segment->flags & TCP_ACK ? bpf_ntohl(tcp->ack_seq) : 0;
	segment->window = bpf_ntohs(tcp->window);
	segment->wscale = SEGMENT_NO_WSCALE;
	if (!(segment->flags & TCP_SYN))
		return;
	if (synack_has(s, OPT_MSS, 4))
		segment->mss = s->tcp[(at + 2) & 63] << 8 | s->tcp[(at + 3) & 63];
	if (synack_has(s, OPT_WSCALE, 3))
		segment->wscale = s->tcp[(s->option_at[OPT_WSCALE] + 2) & 63];
	if (synack_has(s, OPT_SACK, 2))
		segment->options |= SEGMENT_OPTION_SACK_PERMITTED;
	if (synack_has(s, OPT_TIME, 10))
		segment->options |= SEGMENT_OPTION_TIMESTAMPS;
	if (s->option_at[OPT_MPTCP])
		segment->options |= SEGMENT_OPTION_MPTCP;
}

/* The packet, whose headers are in the scratch and whose options were found. */
static __always_inline void watch_packet(struct segment *segment, struct xdp_md *ctx, const struct packet *pkt,
					 struct scratch *s)
{
	__u32 ip_len = scratch_ip_len(pkt);

	__builtin_memset(segment, 0, sizeof(*segment));
	segment->kind = SEGMENT_JUDGED;
	segment->src = pkt->saddr;
	segment->dst = pkt->daddr;
	segment->sport = pkt->sport;
	segment->dport = pkt->dport;
	segment->ifindex = ctx->ingress_ifindex;
	segment->len = sound_segment_len(pkt, scratch_ip(s, ip_len), ip_len) - scratch_tcp_len(pkt);
	watch_read(segment, s);
}

/*
 * Tells of a packet that still is in the frame as it came. A global function, so that the verifier goes through it once
 * and not for each path that leads here.
 */
__noinline int watch_verdict(struct xdp_md *ctx, const struct packet *pkt, __u32 reason)
{
	struct watch *watch = watch_find();
	__u64 now = bpf_ktime_get_ns();
	struct scratch *s;

	if (!watch || !pkt || !watch_holds(watch, now) || !watch_wants(watch, pkt))
		return 0;
	s = scratch_take();
	if (!s || !scratch_read(ctx, pkt, s)) {
		report_loss(LOSS_WATCHES);
	} else {
		synack_find_options(s, scratch_tcp_len(pkt));
		watch_packet(&s->told, ctx, pkt, s);
		s->told.reason = reason;
		s->told.verdict = cfg.dry_run ? VERDICT_PASS : report_verdict_of(reason);
		watch_tell(watch, &s->told, now);
	}
	if (s)
		scratch_give(s);
	return 0;
}

/* Whether a verdict is reported, if it is watched: a challenge is reported where the SYN still is known, see below. */
static __always_inline int watch_asks(enum reason reason)
{
	return reason != REASON_SEGMENT && reason != REASON_SYN && (reason != REASON_CHALLENGED || cfg.dry_run) &&
	       watch_find();
}

/* The answer, of which the scratch holds the header too. */
static __always_inline void watch_reply(struct segment *segment, const struct packet *pkt, const struct scratch *s)
{
	const __be32 *w = s->reply_tcp;

	segment->kind = SEGMENT_ANSWERED;
	segment->src = pkt->daddr;
	segment->dst = pkt->saddr;
	segment->sport = pkt->dport;
	segment->dport = pkt->sport;
	segment->len = 0;
	segment->seq = bpf_ntohl(w[1]);
	segment->ack = bpf_ntohl(w[2]);
	segment->flags = bpf_ntohl(w[3]) >> 16;
	segment->window = bpf_ntohl(w[3]);
	segment->mss = bpf_ntohl(w[5]);
	segment->wscale = SEGMENT_NO_WSCALE;
	segment->options = 0;
	if (bpf_ntohl(w[3]) >> 28 == 6)
		return;
	segment->options = SEGMENT_OPTION_TIMESTAMPS;
	if (bpf_ntohl(w[6]) >> 24 == OPT_SACK)
		segment->options |= SEGMENT_OPTION_SACK_PERMITTED;
	if (bpf_ntohl(w[3]) >> 28 == 10)
		segment->wscale = bpf_ntohl(w[9]);
}

/* Tells of a SYN that was challenged, and of its answer; the headers of both are in the scratch. */
__noinline int watch_challenge(struct xdp_md *ctx, const struct packet *pkt)
{
	__u32 key = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);
	struct watch *watch = watch_find();
	__u64 now = bpf_ktime_get_ns();

	if (!watch || !pkt || !s || !watch_holds(watch, now) || !watch_wants(watch, pkt))
		return 0;
	watch_packet(&s->told, ctx, pkt, s);
	s->told.reason = REASON_CHALLENGED;
	s->told.verdict = VERDICT_TX;
	watch_tell(watch, &s->told, now);
	watch_reply(&s->told, pkt, s);
	watch_tell(watch, &s->told, bpf_ktime_get_ns());
	return 0;
}

#endif
