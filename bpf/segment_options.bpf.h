/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a TCP segment in kernel memory, one after the other (RFC 9293, 3.1; RFC 7323; RFC 2018).
 */
#ifndef SYNWARDEN_SEGMENT_OPTIONS_H
#define SYNWARDEN_SEGMENT_OPTIONS_H

#include "maps.bpf.h"
#include "segments.h"

#define SEGMENT_OPTIONS 40 /* bytes at most: a header has 15 words */

static __always_inline __u16 segment_get16(const __u8 *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

static __always_inline __u32 segment_get32(const __u8 *bytes)
{
	return (__u32)segment_get16(bytes) << 16 | segment_get16(bytes + 2);
}

/* What TCP's options say. */
struct segment_known {
	__u32 sack[2];
	__u16 mss;
	__u8 wscale, options;
};

static __always_inline void segment_option(struct segment_known *s, __u8 kind, const __u8 *data)
{
	switch (kind) {
	case 2:
		s->mss = segment_get16(data);
		break;
	case 3:
		s->wscale = data[0];
		break;
	case 4:
		s->options |= SEGMENT_OPTION_SACK_PERMITTED;
		break;
	case 5:
		s->options |= SEGMENT_OPTION_SACK;
		s->sack[0] = segment_get32(data);
		s->sack[1] = segment_get32(data + 4);
		break;
	case 8:
		s->options |= SEGMENT_OPTION_TIMESTAMPS;
		break;
	case 30:
		s->options |= SEGMENT_OPTION_MPTCP;
		break;
	case 34:
		s->options |= SEGMENT_OPTION_TFO;
		break;
	}
}

struct segment_options {
	struct segment_known *known;
	__u8 bytes[SEGMENT_OPTIONS + 16]; /* what an option is read beyond, is 0 */
	__u32 at;
	__u32 end;
};

static long segment_next_option(__u32 i, struct segment_options *o)
{
	__u32 at = o->at;
	__u8 kind, len;

	if (at >= o->end || at >= SEGMENT_OPTIONS)
		return 1;
	kind = o->bytes[at];
	if (kind == 0)
		return 1;
	if (kind == 1) {
		o->at++;
		return 0;
	}
	len = o->bytes[at + 1];
	if (len < 2 || at + len > o->end)
		return 1;
	segment_option(o->known, kind, &o->bytes[at + 2]);
	o->at += len;
	return 0;
}

/* The first word identifies the options of nearly every segment: NOP, NOP, timestamps of ten bytes. */
static __always_inline void segment_read_options(struct segment_known *known, const void *at, __u32 length,
						 __be32 first)
{
	struct segment_options o;

	__builtin_memset(known, 0, sizeof(*known));
	known->wscale = SEGMENT_NO_WSCALE;
	if (length == 12 && first == bpf_htonl(0x0101080a)) {
		known->options = SEGMENT_OPTION_TIMESTAMPS;
		return;
	}
	if (!length || length > SEGMENT_OPTIONS)
		return;
	__builtin_memset(&o, 0, sizeof(o));
	o.known = known;
	o.end = length;
	if (!bpf_probe_read_kernel(o.bytes, SEGMENT_OPTIONS, at))
		bpf_loop(SEGMENT_OPTIONS, segment_next_option, &o, 0);
}

#endif
