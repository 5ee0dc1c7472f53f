/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The segments of an established connection -> when the server acknowledged the request, and in how many segments its
 * answer came.
 */
#ifndef SYNWARDEN_FETCH_TRAFFIC_H
#define SYNWARDEN_FETCH_TRAFFIC_H

#include "fetch/page.h"
#include "segments.h"
#include "segments/recent.h"

struct traffic {
	const struct attempt *attempt; /* NULL: nothing is asked yet */
	uint64_t asked_ns;	       /* segments before it are of no request */
	struct recent recent;
	uint32_t request_end; /* the sequence number behind the request's last byte */
	uint64_t request_ns;  /* when its last segment was sent for the first time; 0: none was */
	uint64_t acked_ns;    /* when that was acknowledged; 0: not yet */
	uint64_t segments;    /* of the answer, as on the wire */
};

/* 1: this end of the attempt sends it; -1: it comes to it; 0: it is of another connection. */
int traffic__direction(const struct attempt *attempt, const struct segment *segment);

/* In the order of time. Of TLS, what the server sends by itself behind the handshake may count as answer. */
void traffic__take(struct traffic *traffic, const struct segment *segment);

#endif
