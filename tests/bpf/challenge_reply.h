/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the answer to a SYN must look like, built from the SYN byte by byte, without a line of the filter's own. Only
 * the cookie and the timestamp are taken from the answer: the one is proved by sending it back, the other by the clock.
 * For use after filter.h.
 */
#ifndef SYNWARDEN_TESTS_CHALLENGE_REPLY_H
#define SYNWARDEN_TESTS_CHALLENGE_REPLY_H

#include "lib/filter_program.h"

#define TCP_OPTION_MAX 40
#define STAMP_MASK     0x3f
#define STAMP_SLACK_MS 80 /* 64 that the low bits cover, and the time that the test takes */

/* What of the client's offer is to be kept. */
struct offer {
	bool stamped;  /* a timestamp option, so that the rest is kept at all */
	bool no_scale; /* its low four bits are 15 */
	uint8_t scale; /* else this */
	bool sack, ecn;
	uint32_t tsval; /* to be echoed */
};

struct reply_spec {
	uint16_t mss;
	uint16_t window; /* 0: as many whole segments as fit */
	uint8_t wscale;	 /* of this host */
	struct offer offer;
};

static inline uint32_t reply_load(const struct frame *frame, uint32_t at)
{
	uint32_t net;

	memcpy(&net, frame->bytes + at, sizeof(net));
	return ntohl(net);
}

static inline void reply_put32(struct frame *f, uint32_t value)
{
	uint32_t net = htonl(value);

	frame_put(f, &net, sizeof(net));
}

/* Where the TCP header of an answer stands: there are no IP options and no extension headers in it. */
static inline uint32_t reply_tcp_at(const struct frame *reply)
{
	return reply->ip + (reply->ip6 ? 40 : 20);
}

static inline void reply_put_ip(struct frame *f, const struct frame *syn, uint16_t tcp_len)
{
	const uint8_t *addresses = syn->bytes + syn->ip + (syn->ip6 ? 8 : 12);
	size_t size = syn->ip6 ? 16 : 4;

	if (syn->ip6) {
		frame_put(f, (uint8_t[]){0x60, 0, 0, 0, tcp_len >> 8, tcp_len, IPPROTO_TCP, 64}, 8);
	} else {
		frame_put(f, (uint8_t[]){0x45, 0, 0, 20 + tcp_len, 0, 0, 0x40, 0, 64, IPPROTO_TCP, 0, 0}, 12);
	}
	frame_put(f, addresses + size, size);
	frame_put(f, addresses, size);
	if (!syn->ip6)
		frame_set16(f, f->ip + 10, ~frame_fold(frame_add(0, f->bytes + f->ip, 20)));
}

static inline uint16_t reply_tcp_len(const struct offer *offer)
{
	return !offer->stamped ? 24 : offer->no_scale ? 36 : 40;
}

static inline void reply_put_options(struct frame *f, const struct reply_spec *spec, uint32_t tsval)
{
	const struct offer *offer = &spec->offer;

	frame_put(f, (uint8_t[]){2, 4, spec->mss >> 8, spec->mss}, 4);
	if (!offer->stamped)
		return;
	frame_put(f, offer->sack ? (uint8_t[]){4, 2} : (uint8_t[]){1, 1}, 2);
	frame_put(f, (uint8_t[]){8, 10}, 2);
	reply_put32(f, tsval);
	reply_put32(f, offer->tsval);
	if (!offer->no_scale)
		frame_put(f, (uint8_t[]){1, 3, 3, spec->wscale}, 4);
}

static inline void reply_put_tcp(struct frame *f, const struct frame *syn, uint32_t syn_tcp_at,
				 const struct reply_spec *spec, uint32_t cookie, uint32_t tsval)
{
	uint8_t len = reply_tcp_len(&spec->offer), flags = SYN | ACK | (spec->offer.ecn ? ECE : 0);
	uint32_t at = f->len, sum, addresses = f->ip + (f->ip6 ? 8 : 12);

	frame_put(f, syn->bytes + syn_tcp_at + 2, 2);
	frame_put(f, syn->bytes + syn_tcp_at, 2);
	reply_put32(f, cookie);
	reply_put32(f, reply_load(syn, syn_tcp_at + 4) + 1);
	frame_put(f, (uint8_t[]){len / 4 << 4, flags}, 2);
	frame_put16(f, spec->window ?: 65535 - 65535 % (spec->mss - (spec->offer.stamped ? 12 : 0)));
	reply_put32(f, 0);
	reply_put_options(f, spec, tsval);
	sum = frame_add(0, f->bytes + addresses, at - addresses); /* IPv4 and IPv6: both addresses stand last */
	sum = frame_add(sum + IPPROTO_TCP + len, f->bytes + at, len);
	frame_set16(f, at + 16, ~frame_fold(sum));
}

static inline void reply_build(struct frame *f, const struct frame *syn, uint32_t syn_tcp_at,
			       const struct reply_spec *spec, const struct frame *reply)
{
	uint32_t at = reply_tcp_at(reply);

	f->len = 0;
	f->ip = syn->ip;
	f->ip6 = syn->ip6;
	frame_put(f, syn->bytes + 6, 6);
	frame_put(f, syn->bytes, 6);
	frame_put(f, syn->bytes + 12, syn->ip - 12);
	reply_put_ip(f, syn, reply_tcp_len(&spec->offer));
	reply_put_tcp(f, syn, syn_tcp_at, spec, reply_load(reply, at + 4), reply_load(reply, at + 28));
}

/* The low bits say what the cookie cannot hold; the rest is the time, not in the future. */
static inline bool reply_stamp_is_right(const char *what, const struct frame *reply, const struct offer *offer)
{
	uint32_t now = filter_clock() / 1000000, stamp = reply_load(reply, reply_tcp_at(reply) + 28);
	uint32_t bits = (offer->no_scale ? 15 : offer->scale) | (offer->sack ? 0x10 : 0) | (offer->ecn ? 0x20 : 0);

	if ((stamp & STAMP_MASK) == bits && now - stamp <= STAMP_SLACK_MS)
		return true;
	print_error("%s: timestamp %u at %u ms, with %#x in its low bits, expected %#x\n", what, stamp, now,
		    stamp & STAMP_MASK, bits);
	return false;
}

static inline bool reply_is_right(const char *what, const struct frame *syn, uint32_t syn_tcp_at,
				  const struct reply_spec *spec, const struct frame *reply)
{
	static struct frame right;

	reply_build(&right, syn, syn_tcp_at, spec, reply);
	if (reply->len != right.len) {
		print_error("%s: the answer has %u bytes, expected %u\n", what, reply->len, right.len);
		return false;
	}
	for (uint32_t i = 0; i < right.len; i++) {
		if (reply->bytes[i] == right.bytes[i])
			continue;
		print_error("%s: byte %u of the answer (IP at %u, TCP at %u) is %#04x, expected %#04x\n", what, i,
			    right.ip, reply_tcp_at(&right), reply->bytes[i], right.bytes[i]);
		return false;
	}
	return !spec->offer.stamped || reply_stamp_is_right(what, reply, &spec->offer);
}

#endif
