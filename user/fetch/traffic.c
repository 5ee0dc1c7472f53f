// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fetch/traffic.h"

int traffic__direction(const struct attempt *attempt, const struct segment *segment)
{
	if (segment->sport == attempt->lport && segment->dport == attempt->rport &&
	    !memcmp(&segment->dst, &attempt->raddr, sizeof(struct addr)))
		return 1;
	if (segment->dport == attempt->lport && segment->sport == attempt->rport &&
	    !memcmp(&segment->src, &attempt->raddr, sizeof(struct addr)))
		return -1;
	return 0;
}

static void take_outgoing(struct traffic *traffic, const struct segment *segment)
{
	uint32_t end = segment->seq + segment->len;

	if (!segment->len || traffic->segments || (traffic->request_ns && (int32_t)(end - traffic->request_end) <= 0))
		return;
	traffic->request_end = end;
	traffic->request_ns = segment->time_ns;
	traffic->acked_ns = 0;
}

static void take_incoming(struct traffic *traffic, const struct segment *segment)
{
	if (!traffic->request_ns || !(segment->flags & SEGMENT_ACK) ||
	    (int32_t)(segment->ack - traffic->request_end) < 0)
		return;
	if (!traffic->acked_ns)
		traffic->acked_ns = segment->time_ns;
	if (segment->len)
		traffic->segments += segment->segs;
}

void traffic__take(struct traffic *traffic, const struct segment *segment)
{
	int to;

	if (!traffic->attempt || segment->time_ns < traffic->asked_ns ||
	    (segment->kind != SEGMENT_SENT && segment->kind != SEGMENT_ARRIVED))
		return;
	to = traffic__direction(traffic->attempt, segment);
	if (!to || recent__is_repeated(&traffic->recent, segment))
		return;
	if (to > 0)
		take_outgoing(traffic, segment);
	else
		take_incoming(traffic, segment);
}
