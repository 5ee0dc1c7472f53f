/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The questions that are asked of each packet, in this order:
 *   1. Is it sound?               Impossible headers and flags are dropped, each for a reason of its own.
 *   2. Is its source allowed?     Then it passes: the allow list wins over every rule below.
 *   3. Is its source blocked?     Then it is dropped, whatever its protocol. The fleet's two lists are asked after this
 *                                 host's own.
 *   4. Is it a SYN?               Anything else passes, except segments to an armed port that belong to no socket,
 *                                 carry no valid cookie, come from no source that has just answered a challenge, and
 *                                 are over --stray-budget; and RSTs that are the first over it.
 *   5. Is the source in limit?    A SYN over --source-limit is dropped.
 *                                 So is one to a closed port over --stray-budget.
 *   6. Is it for TCP here?        A SYN that the stack would not give to a listener of this host passes.
 *   7. Is the port in budget?     A SYN within --port-budget passes.
 *   8. Is the address served?     A SYN over the budget, to an address that this host is not known to serve, passes.
 *   9. Is the source verified?    One that has answered a challenge goes past the next one, up to a rate
 *                                 of its own, and one that all of the port have together.
 *  10. Can it be challenged?      Then it is answered with a SYN cookie, unless the kernel knows its connection; one
 *                                 that the kernel itself would drop is dropped.
 * A judge returns REASON_NONE to leave the decision to the next one. Where bookkeeping fails, the packet passes.
 */
#ifndef SYNWARDEN_JUDGE_H
#define SYNWARDEN_JUDGE_H

#include "evidence.bpf.h"
#include "known.bpf.h"
#include "lists.bpf.h"
#include "local.bpf.h"
#include "parse.bpf.h"
#include "port_budget.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "source.bpf.h"
#include "source_limit.bpf.h"
#include "strays.bpf.h"
#include "syn.bpf.h"
#include "syncookie.bpf.h"
#include "verified.bpf.h"

#define PER_SENDER_NS 1000000000ULL

/*
 * Challenges the SYN, unless its connection is known. If the listener turns out to depend on the sender, the look-up
 * without a sender is skipped on this port for a second.
 */
static __always_inline enum reason judge_challenge(const struct syn *s)
{
	struct exchange exchange = {
		.no_known_conn = s->count->per_sender_ns < s->now && known_has_no_conn(s->hash, s->now),
		.hop_limit = s->arrival.mac ? s->arrival.mac->hop_limit : 0,
	};
	enum reason reason;

	if (s->mode->explains)
		return syncookie_explain(s->ctx, s->pkt, &exchange);
	reason = syncookie_challenge(s->ctx, s->pkt, &exchange);
	if (exchange.per_sender)
		s->count->per_sender_ns = s->now + PER_SENDER_NS;
	return reason;
}

/* Whether TCP here would get the packet. */
static __always_inline int judge_is_local(struct xdp_md *ctx, const struct packet *pkt, struct arrival *arrival,
					  const struct mode *mode)
{
	if (mode->explains && local_is_any_frame(ctx))
		return local_takes_packet(pkt, arrival);
	return local_takes(ctx, pkt, arrival);
}

/*
 * A packet to a port that is closed at its address, once all closed ports together are armed: SYNs, and segments
 * without a socket. NONE: it is left to the next question.
 */
__noinline int judge_closed(struct xdp_md *ctx, const struct packet *pkt, int explains)
{
	const struct mode mode = {.explains = explains};
	struct stray stray = {.pkt = pkt, .count = ports_count(0), .explains = explains};
	struct arrival arrival = {.local = local_state()};
	enum reason reason;
	struct bpf_sock *socket;
	struct addr source;

	if (!pkt)
		return REASON_NONE;
	reason = parse_is_syn(pkt) ? REASON_CLOSED_PORT : syncookie_stray(pkt);
	stray.now = bpf_ktime_get_coarse_ns();
	if (!arrival.local || !stray.count || parse_is_link_local(&pkt->saddr) ||
	    !strays_is_closed(pkt, arrival.local, stray.now) || !judge_is_local(ctx, pkt, &arrival, &mode) ||
	    (arrival.mac && arrival.mac->above))
		return REASON_NONE;
	socket = syncookie_socket(ctx, pkt);
	if (socket) {
		bpf_sk_release(socket);
		return REASON_NONE;
	}
	stray.hash = source_of(&source, &pkt->saddr);
	if (strays_admit_closed(&stray))
		return REASON_NONE;
	if (!explains)
		strays_note(stray.count, reason);
	return reason;
}

/* A SYN to a port that never had a listener. */
static __always_inline enum reason judge_closed_syn(const struct syn *s)
{
	enum reason reason = judge_closed(s->ctx, s->pkt, s->mode->explains);

	return reason == REASON_NONE ? REASON_SYN : reason;
}

/* Applies the source limit and the port budget. NONE: the SYN is over the budget. */
static __always_inline enum reason judge_rate(struct syn *s)
{
	if (cfg.sketch && !source_limit_admit(s))
		return REASON_SOURCE_LIMIT;
	if (cfg.has_strays && !s->slot && port_budget_armed(s->pkt->dport) & PORT_ARMED_CLOSED)
		return judge_closed_syn(s);
	if (!cfg.has_budget || !port_budget_find(s))
		return REASON_SYN;
	if (!local_arrive(&s->arrival, s->pkt, s->count) || !judge_is_local(s->ctx, s->pkt, &s->arrival, s->mode))
		return REASON_NOT_LOCAL;
	if (s->mode->explains)
		return port_budget_explain(s) ? REASON_SYN : REASON_NONE;
	if (s->gcra->syns.armed_until_ns > s->now) {
		evidence_count_source(s);
		sample_syn(s);
	}
	return port_budget_admit(s) ? REASON_SYN : REASON_NONE;
}

/* Whether the source has answered a challenge, and neither it nor all such sources of the port are over their rate. */
static __always_inline int judge_is_verified(const struct syn *s)
{
	struct verified *v = verified_within(s);

	if (!v || !port_budget_admit_verified(s))
		return 0;
	if (!s->mode->explains)
		verified_pass(v, s->now);
	return 1;
}

/* A SYN over its port's budget. */
static __always_inline enum reason judge_over_budget(const struct syn *s)
{
	if (!ports_is_served(s->pkt, &s->arrival)) {
		if (!s->mode->explains) {
			s->count->not_served++;
			s->count->not_served_addr = s->pkt->daddr;
		}
		return REASON_NOT_SERVED;
	}
	if (s->mode->explains)
		s->mode->answer->served = 1;
	else if (!s->arrival.found)
		ports_keep_served(s->pkt, s->count, s->arrival.local);
	if (s->rule->challenge == CHALLENGE_OFF)
		return REASON_PORT_BUDGET;
	if (judge_is_verified(s))
		return REASON_VERIFIED;
	return judge_challenge(s);
}

/* Whether the kernel may keep a half-open connection for a SYN with this reason; a cookie leaves none. */
static __always_inline int may_stay_half_open(enum reason reason)
{
	switch (reason) {
	case REASON_UNREADY: /* the kernel has just shown that it does not answer every SYN with a cookie */
	case REASON_KNOWN:   /* the kernel may answer in another way */
		return 1;
	case REASON_SYN:
	case REASON_VERIFIED:
	case REASON_NOT_SERVED:
	case REASON_NOT_LOCAL:
	case REASON_SIGNED:
		return !known_all_get_cookies();
	default:
		return 0;
	}
}

/* Counts the SYN by its port, and marks its source where a half-open connection may be left. */
static __always_inline void judge_note(const struct syn *s, enum reason reason)
{
	__u32 verdict = report_verdict_of(reason);

	if (s->count && verdict < VERDICT_MAX)
		s->count->syns[verdict]++;
	if (s->count && reason == REASON_SOURCE_LIMIT)
		s->count->limited++;
	if (s->count && reason == REASON_PORT_BUDGET)
		s->count->over_budget++;
	if (s->gcra && s->rule->challenge == CHALLENGE_AUTO && may_stay_half_open(reason))
		known_note(s->hash);
}

/* `reason`: what the lists said. */
static __always_inline enum reason judge_syn(struct xdp_md *ctx, const struct packet *pkt, enum reason reason,
					     const struct mode *mode)
{
	struct syn s = {.ctx = ctx, .mode = mode, .pkt = pkt, .slot = ports_slot(pkt->dport)};
	struct addr source;

	s.count = ports_count(s.slot);
	if (reason == REASON_NONE && (cfg.sketch || cfg.has_budget || cfg.has_strays)) {
		s.now = bpf_ktime_get_coarse_ns();
		if (mode->explains && mode->answer->burst)
			s.now -= EXPLAIN_BURST_NS;
		s.source = &source;
		s.hash = source_of(&source, &pkt->saddr);
		reason = judge_rate(&s);
		if (reason == REASON_NONE)
			reason = judge_over_budget(&s);
	} else if (reason == REASON_NONE) {
		reason = REASON_SYN;
	}
	if (!mode->explains)
		judge_note(&s, reason);
	return reason;
}

/* The answer to a challenge; where the port is not armed for SYNs, to one of the kernel's own. */
static __always_inline void judge_note_answer(const struct packet *pkt, const struct exchange *exchange, int is_syns)
{
	struct port_count *count = ports_count(ports_slot(pkt->dport));
	__u64 now = bpf_ktime_get_coarse_ns(), hash;
	struct addr source;
	int first;

	hash = source_of(&source, &pkt->saddr);
	first = verified_note(&source, hash, exchange->ack, now) && is_syns;
	if (!count)
		return;
	count->answered += first;
	count->sound_answers += first && exchange->sound;
}

/*
 * A segment that belongs to no connection: dropped for `reason`, where it is this host's and over the budget. A global
 * function, as syncookie_check() is.
 */
__noinline int judge_stray(struct xdp_md *ctx, const struct packet *pkt, int is_syns, int explains, int reason)
{
	const struct mode mode = {.explains = explains};
	struct stray stray = {.pkt = pkt, .is_syns = is_syns, .explains = explains};
	struct arrival arrival = {};
	struct addr source;

	if (!pkt)
		return REASON_SEGMENT;
	stray.slot = ports_slot(pkt->dport);
	stray.count = ports_count(stray.slot);
	stray.now = bpf_ktime_get_coarse_ns();
	stray.hash = source_of(&source, &pkt->saddr);
	if (!stray.slot || !stray.count || verified_is_fresh(&source, stray.hash, stray.now) ||
	    !local_arrive(&arrival, pkt, stray.count) || !judge_is_local(ctx, pkt, &arrival, &mode) ||
	    !ports_is_served(pkt, &arrival))
		return REASON_SEGMENT;
	stray.above = arrival.mac && arrival.mac->above;
	if (strays_admit(&stray))
		return REASON_SEGMENT;
	if (!explains)
		strays_note(stray.count, reason);
	return reason;
}

/* A segment to an armed port (`armed`: bits of enum port_armed), or a RST: of a socket, the answer to a challenge, or
 * stray. */
static __always_inline enum reason judge_segment(struct xdp_md *ctx, const struct packet *pkt, const struct mode *mode,
						 int armed)
{
	int is_syns = armed & PORT_ARMED_SYNS;
	struct exchange exchange = {};
	enum reason reason;

	if (!ports_slot(pkt->dport))
		return REASON_SEGMENT;
	reason = syncookie_check(ctx, pkt, &exchange);
	if (reason == REASON_SEGMENT || (mode->explains && reason == REASON_COOKIE_ACK))
		return reason;
	if (reason != REASON_COOKIE_ACK)
		return judge_stray(ctx, pkt, is_syns, mode->explains, reason);
	judge_note_answer(pkt, &exchange, is_syns);
	return reason;
}

/* The lists, which apply to every packet whose addresses are known. */
static __always_inline enum reason judge_source(const struct packet *pkt, const struct mode *mode)
{
	const struct list_entry *entry = 0;
	enum reason reason = lists_judge(&pkt->saddr, &entry);

	if (entry && mode->explains) {
		mode->answer->prefixlen = entry->prefixlen;
		mode->answer->until_ns = entry->expires_ns;
	}
	return reason;
}

static __always_inline enum reason judge_rest(struct xdp_md *ctx, const struct packet *pkt, const struct mode *mode)
{
	enum reason reason = REASON_NONE;
	int armed = 0;

	if (pkt->kind == PACKET_OPAQUE)
		return REASON_NOT_LINEAR;
	if (pkt->kind == PACKET_FRAGMENT)
		return REASON_FRAGMENT;
	if (pkt->kind != PACKET_TCP)
		return REASON_NOT_TCP;
	if (cfg.has_challenge || cfg.has_strays)
		armed = port_budget_armed(pkt->dport);
	if (armed & PORT_ARMED_CLOSED)
		reason = judge_closed(ctx, pkt, mode->explains);
	if (reason != REASON_NONE)
		return reason;
	if (armed & ~PORT_ARMED_CLOSED || (cfg.has_strays && pkt->flags & TCP_RST && strays_has_budget(pkt->dport)))
		return judge_segment(ctx, pkt, mode, armed);
	return REASON_SEGMENT;
}

/* `len`: of the whole frame, bytes. `pkt`: all zero; what was parsed of it. */
static __always_inline enum reason judge(struct xdp_md *ctx, __u32 len, struct packet *pkt, const struct mode *mode)
{
	enum reason reason = parse_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end, len, pkt);

	if (reason != REASON_NONE)
		return reason;
	reason = judge_source(pkt, mode);
	if (parse_is_syn(pkt))
		return judge_syn(ctx, pkt, reason, mode);
	return reason == REASON_NONE ? judge_rest(ctx, pkt, mode) : reason;
}

#endif
