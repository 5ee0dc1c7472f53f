/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strays: segments to a listening port that belong to no connection, and what comes to a closed port, SYNs among it.
 * The kernel answers each with a RST, except a RST. It says so itself (tp_btf/tcp_send_reset), and that arms the port,
 * or all closed ports together; RSTs to listening ports are counted in XDP. Of an armed port, what is over
 * --stray-budget is dropped; what is within it reaches the kernel, whose RSTs tell clients that the server has lost
 * their connections.
 */
#ifndef SYNWARDEN_STRAYS_H
#define SYNWARDEN_STRAYS_H

#include "arming.bpf.h"
#include "ended.bpf.h"
#include "local.bpf.h"
#include "ports.bpf.h"
#include "refused.bpf.h"
#include "sock.bpf.h"

/* Written by `run` alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct forwards);
} forwards SEC(".maps");

/* A stray that XDP has found. */
struct stray {
	const struct packet *pkt;
	struct port_count *count;
	__u64 hash;  /* of its source */
	__u64 now;   /* CLOCK_MONOTONIC_COARSE */
	__u32 slot;  /* of its port; not 0 */
	int above;   /* as in struct local_mac */
	int is_syns; /* its port is armed for SYNs, too */
	int explains;
};

/* The rule of the port; NULL: it has no budget. */
static __always_inline const struct port_strays *strays_rule(const struct port_strays *own)
{
	const struct port_strays *rule = own && own->batch ? own : ended_port(0);

	return rule && rule->batch_ns ? rule : 0;
}

static __always_inline int strays_use(struct arming_use *use, const struct port_strays *rule, struct port_count *count,
				      __u32 slot, __u16 port)
{
	use->gcra = bpf_map_lookup_elem(&port_tats, &slot);
	if (!use->gcra)
		return 0;
	use->arming = &use->gcra->strays;
	use->tokens = &count->stray_tokens;
	use->batch_ns = rule->batch_ns;
	use->batch = rule->batch;
	use->slot = slot;
	use->port = port;
	use->kind = ARMING_STRAYS;
	return 1;
}

/* Whether the port has a budget of strays, so that a RST to it is worth a look. */
static __always_inline int strays_has_budget(__u16 port)
{
	return !!strays_rule(ended_port(port));
}

/* Whether the packet may be for others, by the packet filter's rules: for a port that they translate, or an answer to
 * a connection whose source this host translates. Where they are unknown, any may be. */
static __always_inline int strays_may_be_forwarded(__u16 port, __u64 now)
{
	__u32 key = 0;
	const struct forwards *f = bpf_map_lookup_elem(&forwards, &key);

	return !f || f->until_ns < now || f->any || f->ports[port >> 3] >> (port & 7) & 1 ||
	       (f->answers && port >= FORWARDS_PORTS);
}

/* Over the budget. What may be for others passes, and is no sign of a flood. After a restart the port is not armed, and
 * the stray passes unless the port is armed already; nor after this host has gained an address. */
static __always_inline int strays_over(const struct stray *s, const struct port_strays *own,
				       const struct arming_use *use)
{
	if (strays_may_be_forwarded(s->pkt->dport, s->now))
		return 1;
	if (!arming_is_armed(use) && ended_has_server(own, s->now))
		return !s->is_syns;
	if (!s->explains)
		arming_arm(use);
	return 0;
}

/*
 * 1: the stray passes. Only RSTs are counted here towards half the budget: the others are, where the kernel answers
 * them.
 */
static __always_inline int strays_admit(const struct stray *s)
{
	const struct port_strays *own = ended_port(s->pkt->dport), *rule = strays_rule(own);
	struct arming_use use = {.now = s->now};

	if (!own || (s->above && own->bound))
		return 1;
	if (!rule)
		return !s->is_syns;
	if (ended_has_conn(s->hash, s->pkt->sport, s->pkt->dport, s->now) ||
	    !strays_use(&use, rule, s->count, s->slot, s->pkt->dport))
		return 1;
	if (s->explains)
		return arming_has_room(&use) ? 1 : strays_over(s, own, &use);
	if (!arming_charge(&use))
		return strays_over(s, own, &use);
	if (s->pkt->flags & TCP_RST && arming_is_armed(&use))
		arming_keep(&use);
	return 1;
}

/* Counts what was dropped. */
static __always_inline void strays_note(struct port_count *count, enum reason reason)
{
	switch (reason) {
	case REASON_STRAY_FIN:
		count->stray_fins++;
		break;
	case REASON_STRAY_RST:
		count->stray_rsts++;
		break;
	case REASON_STRAY_SYNACK:
		count->stray_synacks++;
		break;
	case REASON_CLOSED_PORT:
		count->refused_syns++;
		break;
	default:
		count->stray_acks++;
	}
}

/* Whether nothing is known by which the segment or SYN to a closed port could be for another host. An answer to what is
 * masqueraded may come to any port. */
static __always_inline int strays_are_all_ours(__u16 port, int is_syn, __u64 now)
{
	__u32 key = 0;
	const struct forwards *f = bpf_map_lookup_elem(&forwards, &key);

	return f && (is_syn || !f->answers) && !strays_may_be_forwarded(port, now);
}

/* Whether the port is closed: the kernel has just refused it at this address, and nothing listens on it. */
static __always_inline int strays_is_closed(const struct packet *pkt, const struct local *local, __u64 now)
{
	int is_syn = parse_is_syn(pkt);
	__u32 key = pkt->dport;
	const struct listener *listener = bpf_map_lookup_elem(&listeners, &key);
	enum refused refused;

	if (!listener || listener->listening) /* first: what is served costs no look at the marks */
		return 0;
	refused = refused_find(local, &pkt->daddr, pkt->dport, now);
	if (refused == REFUSED_NOT || (refused != REFUSED_SYN && is_syn))
		return 0;
	return strays_are_all_ours(pkt->dport, is_syn, now);
}

/* 1: the segment or SYN to a closed port passes. */
static __always_inline int strays_admit_closed(const struct stray *s)
{
	const struct port_strays *own = ended_port(s->pkt->dport), *rule = ended_port(0);
	struct arming_use use = {.now = s->now};

	if (!own || !rule || !rule->batch_ns || ended_has_listener(own, s->now) ||
	    ended_has_conn(s->hash, s->pkt->sport, s->pkt->dport, s->now) ||
	    !strays_use(&use, rule, s->count, 0, s->pkt->dport))
		return 1;
	if (s->explains)
		return arming_has_room(&use);
	if (arming_charge(&use))
		return 1;
	arming_arm(&use);
	return 0;
}

/* Whether the port is armed for SYNs, so that XDP looks at its segments and charges the strays among them. */
static __always_inline int strays_is_charged(const struct arming_use *use, const struct port_strays *rule, int closed)
{
	return !closed && rule->challenged == CHALLENGE_AUTO && use->gcra->syns.armed_until_ns >= use->now;
}

/* The kernel's answer to what nothing in XDP has charged, or, where the port is armed, to what it has. */
static __always_inline void strays_charge(const struct arming_use *use, const struct port_strays *own, int charged)
{
	if (arming_is_armed(use))
		arming_keep(use);
	else if (charged)
		return;
	else if (!arming_charge(use) && !ended_has_server(own, use->now))
		arming_arm(use);
}

/*
 * The kernel answers a segment from `flow`, which came in by a filtered interface, with a RST. It reached a listener,
 * or none (`closed`). An unarmed port is charged for it; one that is armed, also if for SYNs alone, was, in XDP. One
 * armed for strays stays so while this is more than half the budget, whether or not XDP may judge what comes.
 */
static __always_inline void strays_refused(const struct flow *flow, int closed, int is_syn)
{
	const struct port_strays *own = ended_port(flow->lport), *rule = closed ? ended_port(0) : strays_rule(own);
	__u32 slot = closed ? 0 : ports_slot(flow->lport);
	struct port_count *count = ports_count(slot);
	struct arming_use use = {};
	struct addr source;
	__u64 hash;

	if ((!closed && !slot) || !count || !own)
		return;
	report_add(&count->resets, 1);
	if (!rule || !rule->batch_ns || !strays_use(&use, rule, count, slot, flow->lport))
		return;
	hash = source_of(&source, &flow->raddr);
	use.now = bpf_ktime_get_ns(); /* a tracepoint has no coarse clock */
	if (ended_has_conn(hash, flow->rport, flow->lport, use.now))
		return;
	if (closed && ended_has_listener(own, use.now))
		return;
	strays_charge(&use, own, strays_is_charged(&use, rule, closed));
	if (closed)
		refused_note(&flow->laddr, flow->lport, is_syn, use.now);
}

#endif
