/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP segment as seen at a hook of the kernel, or read from a capture file: what `ladder` and `fetch` show. The
 * conventions of types.h hold; sequence numbers, ports, lengths and windows are in host byte order.
 */
#ifndef SYNWARDEN_SEGMENTS_H
#define SYNWARDEN_SEGMENTS_H

#include <linux/types.h>

#include "conns.h"

/* Where a segment was seen. */
enum segment_kind {
	SEGMENT_SENT,	  /* handed to a device */
	SEGMENT_ARRIVED,  /* came from a device; the reader adds `reason` where the filter passed it for one */
	SEGMENT_DROPPED,  /* freed here before TCP took it; `reason` is the kernel's */
	SEGMENT_JUDGED,	  /* arrived, and was judged by the filter: `verdict` and `reason` (enum reason) */
	SEGMENT_ANSWERED, /* sent by the filter: a SYN-ACK with a cookie */
	SEGMENT_AGAIN,	  /* no segment: TCP here has sent that of `seq` again */
	SEGMENT_CAPTURED, /* read from a file: neither end is this host */
};

#define SEGMENT_FIN 0x01
#define SEGMENT_SYN 0x02
#define SEGMENT_RST 0x04
#define SEGMENT_PSH 0x08
#define SEGMENT_ACK 0x10
#define SEGMENT_URG 0x20
#define SEGMENT_ECE 0x40
#define SEGMENT_CWR 0x80

#define SEGMENT_OPTION_SACK_PERMITTED 0x01
#define SEGMENT_OPTION_TIMESTAMPS     0x02
#define SEGMENT_OPTION_SACK	      0x04 /* `sack` holds the first block */
#define SEGMENT_OPTION_TFO	      0x08 /* RFC 7413 cookie, or a request for one */
#define SEGMENT_OPTION_MPTCP	      0x10

#define SEGMENT_NO_WSCALE 0xff

struct segment {
	__u64 time_ns; /* of a file: CLOCK_REALTIME as the file has it */
	__u64 cookie;  /* of the socket; 0: unknown at this hook */
	struct addr src;
	struct addr dst;
	__u16 sport;
	__u16 dport;
	__u32 netns;
	__u32 ifindex;
	__u32 seq;
	__u32 ack;    /* 0 without the ACK flag */
	__u32 len;    /* payload bytes of the whole GSO or GRO segment */
	__u16 window; /* as in the header, not scaled */
	__u16 segs;   /* segments on the wire: 1, or what GSO makes of it */
	__u16 mss;    /* of a SYN; 0: no such option */
	__u8 flags;   /* SEGMENT_FIN, ... */
	__u8 kind;    /* enum segment_kind */
	__u8 wscale;  /* SEGMENT_NO_WSCALE: no such option */
	__u8 options; /* SEGMENT_OPTION_SACK_PERMITTED, ... */
	__u16 reason;
	__u32 sack[2]; /* the first block: its first byte, and the one behind its last */
	__u8 state;    /* enum state of the socket that sends it; 0: unknown, as of all that arrive */
	__u8 verdict;  /* enum verdict, as it was carried out: a dry run passes all */
	__u8 is_again; /* set by the reader, of one that was sent: TCP here says that it has sent it again */
	__u8 pad[21];
	__u32 what; /* RING_SEGMENT */
};

#define WATCH_RATE  1000	  /* verdicts a second; more are counted as lost */
#define WATCH_BYTES (256 << 10)	  /* of `sightings`: what comes in two seconds, as a reader may look between them */
#define WATCH_NS    3000000000ULL /* how long a watch lasts unless it is renewed */

/*
 * What a ladder asks the filter to tell: verdicts other than `segment` and `syn` on the segments that it shows. One at
 * a time. The ladder writes until_ns last, and renews it; the filter clears it once it has passed.
 */
struct watch {
	__u64 until_ns; /* 0: nothing is watched */
	__u64 told; /* by the filter: the second in the upper 32 bits, how many it told or lost in it in the lower */
	__u32 pid;  /* of the ladder */
	__u32 pad;
	struct event_filter filter; /* of connections: pid and state are not looked at */
};

_Static_assert(sizeof(struct segment) == sizeof(struct event), "both fit into a slot of a ring");
_Static_assert(__builtin_offsetof(struct segment, time_ns) == __builtin_offsetof(struct event, time_ns) &&
		       __builtin_offsetof(struct segment, what) == __builtin_offsetof(struct event, what),
	       "a reader tells the two apart, and sorts both by time");

#endif
