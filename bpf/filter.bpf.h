/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which connections and transitions a stream wants: cfg.filter, whose fields of 0 match all.
 */
#ifndef SYNWARDEN_FILTER_H
#define SYNWARDEN_FILTER_H

#include "maps.bpf.h"
#include "parse.bpf.h"

/* Whether what is streamed are connections that closed: struct life. */
static __always_inline int filter_streams_lives(void)
{
	return cfg.stream == STREAM_LIVES || cfg.stream == STREAM_HTTP;
}

static __always_inline int filter_covers(const struct event_filter *f, const struct addr *addr)
{
	return (addr->halves[0] & f->mask.halves[0]) == f->addr.halves[0] &&
	       (addr->halves[1] & f->mask.halves[1]) == f->addr.halves[1];
}

static __always_inline int filter_takes(const struct event_filter *f, const struct flow *flow)
{
	if (f->port && flow->lport != f->port && flow->rport != f->port)
		return 0;
	if (f->family && (f->family == 4) != parse_is_v4(&flow->laddr))
		return 0;
	if (f->netns && flow->netns != f->netns)
		return 0;
	return !f->by_addr || filter_covers(f, &flow->laddr) || filter_covers(f, &flow->raddr);
}

static __always_inline int filter_wants_flow(const struct flow *flow)
{
	const struct event_filter f = cfg.filter;

	return filter_takes(&f, flow);
}

/* Lists have half-open connections in NEW_SYN_RECV, which ss shows as SYN-RECV. */
static __always_inline int filter_is_state(const struct event_filter *f, int state)
{
	return state == f->state || (state == STATE_NEW_SYN_RECV && f->state == STATE_SYN_RECV);
}

/* An event whose owner is not known yet passes; the user side filters it again. */
static __always_inline int filter_wants(const struct event *e)
{
	const struct event_filter f = cfg.filter;

	if (f.state && e->old != f.state && (!filter_is_state(&f, e->new) || (e->ending && filter_streams_lives())))
		return 0;
	if (f.pid && e->owner.pid && e->owner.pid != f.pid)
		return 0;
	return filter_wants_flow(&e->flow);
}

#endif
