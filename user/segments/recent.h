/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last segments of a connection, and where each was seen: one that passes a bridge, a VLAN or macvlan device, a
 * veth pair or loopback is seen at several places, and is one segment. A segment that is sent again begins anew at the
 * place where it was seen first.
 */
#ifndef SYNWARDEN_SEGMENTS_RECENT_H
#define SYNWARDEN_SEGMENTS_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "segments.h"

#define RECENT_SEGMENTS 32
#define RECENT_PLACES	8

/* A device, and one direction of it. */
struct recent_place {
	uint32_t ifindex;
	uint32_t next; /* the sequence number behind what was seen here */
	uint8_t kind;  /* enum segment_kind */
};

struct recent_segment {
	struct segment segment; /* as it was seen first */
	struct recent_place places[RECENT_PLACES];
	unsigned place_count;
};

/* All zero: none. */
struct recent {
	struct recent_segment segments[RECENT_SEGMENTS];
	unsigned count; /* that were ever put in */
};

/* Whether this segment, or a GSO segment that it is a part of, was seen at another place; one that was not is
 * remembered. In the order of time, segments of one connection in one network namespace. */
bool recent__is_repeated(struct recent *recent, const struct segment *segment);

#endif
