/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of a captured packet -> struct segment. No I/O, no allocation: any bytes may be handed in.
 */
#ifndef SYNWARDEN_SEGMENTS_HEADERS_H
#define SYNWARDEN_SEGMENTS_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "segments.h"

/* What a packet begins with, by the link types of https://www.tcpdump.org/linktypes.html. */
enum headers_link {
	HEADERS_ETHERNET,   /* with up to eight VLAN tags */
	HEADERS_LINUX_SLL,  /* "Linux cooked" of tcpdump -i any */
	HEADERS_LINUX_SLL2, /* the same of newer ones */
	HEADERS_NULL,	    /* BSD loopback: the family as a number in the byte order of the capturing host */
	HEADERS_IP,	    /* none: IPv4 or IPv6 */
};

enum headers_result {
	HEADERS_TCP,	   /* *segment is filled in */
	HEADERS_OTHER,	   /* another protocol, or a later fragment */
	HEADERS_CUT,	   /* the capture holds too little of it: snaplen */
	HEADERS_MALFORMED, /* its lengths contradict each other */
};

/* What was captured of a segment's payload. */
struct headers_payload {
	const uint8_t *bytes;
	size_t captured;
};

/*
 * Reads the headers of one packet of which `captured` bytes are there. Fills in addresses, ports, numbers and options
 * of *segment, with segs 1; options that are cut off or malformed are left out. Leaves time_ns, kind, netns, ifindex
 * and cookie as they are. With HEADERS_TCP, sets *payload.
 */
enum headers_result headers__parse(struct segment *segment, struct headers_payload *payload, enum headers_link link,
				   const uint8_t *bytes, size_t captured);

#endif
