/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/parse.bpf.h as a native function. Input: three bytes for how much of the frame is beyond its first buffer, then
 * the first buffer. Reads past its end are the sanitizer's to find; here, that what the parser says is so, and what
 * must become of the same frame when it is cut, padded, tagged, or spread over two buffers.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_PACKET_H
#define SYNWARDEN_TESTS_FUZZ_PACKET_H

#include "fuzz.h"

#include "../../bpf/parse.bpf.h"
#include "text/names.h"

#define ETH_LEN		   14
#define TAG_LEN		   4
#define IPV6_LEN	   40
#define BEYOND_BYTES	   3
#define NET_IP_ALIGN_BYTES 2
#define NO_END		   UINT32_MAX

struct frame_view {
	const uint8_t *bytes;
	uint32_t linear; /* bytes in the first buffer */
	uint32_t len;	 /* of the frame */
};

struct outcome {
	enum reason reason; /* REASON_NONE: sound */
	struct packet pkt;
};

static struct outcome parse_frame(const struct frame_view *frame)
{
	/* As the kernel places frames: the IP header is aligned, which the Ethernet header is then not. */
	uint8_t *memory = malloc(NET_IP_ALIGN_BYTES + frame->linear);
	struct outcome outcome = {};
	uint8_t *at;

	if (!memory)
		abort();
	at = memory + NET_IP_ALIGN_BYTES;
	memcpy(at, frame->bytes, frame->linear);
	outcome.reason = parse_packet(at, at + frame->linear, frame->len, &outcome.pkt);
	free(memory);
	return outcome;
}

static unsigned get16(const struct frame_view *frame, uint32_t at)
{
	return frame->bytes[at] << 8 | frame->bytes[at + 1];
}

/* Whether `b` is said of the same packet, `shift` bytes further behind in its frame. */
static bool is_same(const struct outcome *a, const struct outcome *b, uint32_t shift)
{
	const struct packet *p = &a->pkt, *q = &b->pkt;

	if (a->reason != REASON_NONE || b->reason != REASON_NONE)
		return a->reason == b->reason;
	return !memcmp(&p->saddr, &q->saddr, sizeof(p->saddr)) && !memcmp(&p->daddr, &q->daddr, sizeof(p->daddr)) &&
	       p->sport == q->sport && p->dport == q->dport && p->kind == q->kind && p->flags == q->flags &&
	       p->fragmented == q->fragmented && p->protocol == q->protocol && p->tcp_len == q->tcp_len &&
	       p->ip_at + shift == q->ip_at && p->tcp_at + shift == q->tcp_at;
}

/* The reasons that bytes alone can settle; all others are a rule's. */
static bool is_of_bytes(enum reason reason)
{
	return reason == REASON_NOT_IP || reason == REASON_NOT_LINEAR ||
	       (reason >= REASON_ETH_TRUNCATED && reason <= REASON_NONE);
}

/* Where the IP packet ends in the frame, as its header says; NO_END: it is as long as the frame (BIG TCP). */
static uint32_t packet_end(const struct frame_view *frame, const struct packet *pkt)
{
	bool is_v4 = get16(frame, pkt->ip_at - 2) == ETH_P_IP;
	unsigned said = get16(frame, pkt->ip_at + (is_v4 ? 2 : 4));

	if (!said && frame->len - pkt->ip_at > 0xffff)
		return NO_END;
	return pkt->ip_at + (is_v4 ? 0 : IPV6_LEN) + said;
}

static void check_addresses(const struct frame_view *frame, const struct packet *pkt)
{
	const uint8_t *ip = frame->bytes + pkt->ip_at;

	if (get16(frame, pkt->ip_at - 2) == ETH_P_IP) {
		PROPERTY(parse_is_v4(&pkt->saddr) && parse_is_v4(&pkt->daddr), "IPv4 addresses are v4-mapped");
		PROPERTY(!memcmp(&pkt->saddr.words[3], ip + 12, 4), "the IPv4 source");
		PROPERTY(!memcmp(&pkt->daddr.words[3], ip + 16, 4), "the IPv4 destination");
	} else {
		PROPERTY(get16(frame, pkt->ip_at - 2) == ETH_P_IPV6, "ethertype 0x%04x", get16(frame, pkt->ip_at - 2));
		PROPERTY(!memcmp(&pkt->saddr, ip + 8, 16), "the IPv6 source");
		PROPERTY(!memcmp(&pkt->daddr, ip + 24, 16), "the IPv6 destination");
	}
}

static void check_tcp(const struct frame_view *frame, const struct packet *pkt)
{
	uint8_t flags = pkt->flags;

	PROPERTY(pkt->protocol == IPPROTO_TCP, "protocol %u", pkt->protocol);
	PROPERTY(pkt->tcp_at >= pkt->ip_at + 20 && pkt->tcp_at + 20 <= (int)frame->linear, "TCP at %u", pkt->tcp_at);
	PROPERTY(pkt->tcp_len >= 20 && pkt->tcp_len <= 60 && pkt->tcp_len % 4 == 0, "TCP header of %u", pkt->tcp_len);
	PROPERTY(pkt->tcp_at + pkt->tcp_len <= packet_end(frame, pkt), "TCP header at %u behind its packet",
		 pkt->tcp_at);
	PROPERTY(pkt->sport == get16(frame, pkt->tcp_at), "source port %u", pkt->sport);
	PROPERTY(pkt->dport == get16(frame, pkt->tcp_at + 2), "destination port %u", pkt->dport);
	PROPERTY(flags == frame->bytes[pkt->tcp_at + 13], "flags 0x%02x", flags);
	PROPERTY(flags & 0x3f, "no flags");
	PROPERTY(!(flags & TCP_SYN) || !(flags & (TCP_FIN | TCP_RST)), "flags 0x%02x", flags);
	PROPERTY((flags & 0x39) != 0x29, "flags 0x%02x: Xmas", flags);
}

/* What is said to be sound is. */
static void check_sound(const struct frame_view *frame, const struct packet *pkt)
{
	PROPERTY(pkt->ip_at >= ETH_LEN && pkt->ip_at <= ETH_LEN + 8 * TAG_LEN && pkt->ip_at % 4 == 2, "IP at %u",
		 pkt->ip_at);
	PROPERTY(pkt->ip_at + 20 <= (int)frame->linear, "IP at %u", pkt->ip_at);
	check_addresses(frame, pkt);
	PROPERTY(packet_end(frame, pkt) == NO_END || packet_end(frame, pkt) <= frame->len, "packet behind the frame");
	if (pkt->kind == PACKET_TCP)
		check_tcp(frame, pkt);
	else
		PROPERTY(!parse_is_syn(pkt), "a SYN that is not TCP");
	PROPERTY(pkt->kind != PACKET_OPAQUE || frame->len > frame->linear, "one buffer, and its headers beyond");
	PROPERTY(pkt->kind != PACKET_OTHER || pkt->protocol != IPPROTO_TCP, "TCP taken for another protocol");
	PROPERTY(pkt->kind <= PACKET_OPAQUE && pkt->fragmented <= 1, "kind %u, fragmented %u", pkt->kind,
		 pkt->fragmented);
}

/* A sound frame in one buffer, cut off before its IP packet ends, is refused as just that. */
static void check_cuts(const struct frame_view *frame, const struct packet *pkt)
{
	uint32_t end = packet_end(frame, pkt);
	enum reason truncated =
		get16(frame, pkt->ip_at - 2) == ETH_P_IP ? REASON_IPV4_TRUNCATED : REASON_IPV6_TRUNCATED;

	if (end == NO_END)
		return;
	for (uint32_t len = 0; len < end; len++) {
		struct outcome cut = parse_frame(&(struct frame_view){frame->bytes, len, len});
		enum reason expected = len < pkt->ip_at ? REASON_ETH_TRUNCATED : truncated;

		PROPERTY(cut.reason == expected, "cut to %u bytes: %s", len, print_reason(cut.reason));
	}
}

/* Padding behind a sound packet says nothing. */
static void check_padding(const struct frame_view *frame, const struct outcome *whole)
{
	struct outcome padded = parse_frame(&(struct frame_view){frame->bytes, frame->linear, frame->len + 7});

	if (packet_end(frame, &whole->pkt) != NO_END)
		PROPERTY(is_same(whole, &padded, 0), "padded: %s", print_reason(padded.reason));
}

/* The same bytes over two buffers: the same verdict, or that it cannot be known. */
static void check_spreads(const struct frame_view *frame, const struct outcome *whole)
{
	for (uint32_t linear = 0; linear < frame->linear; linear++) {
		struct outcome spread = parse_frame(&(struct frame_view){frame->bytes, linear, frame->len});
		bool is_opaque = spread.reason == REASON_NONE && spread.pkt.kind == PACKET_OPAQUE;

		PROPERTY(is_opaque || spread.reason == REASON_NOT_LINEAR || is_same(whole, &spread, 0),
			 "%s; with %u bytes in the first buffer: %s", print_reason(whole->reason), linear,
			 print_reason(spread.reason));
		if (is_opaque) /* the lists are asked */
			check_addresses(frame, &spread.pkt);
	}
}

static uint32_t count_tags(const struct frame_view *frame)
{
	uint32_t at = 12, tags = 0;

	for (; at + 2 <= frame->linear && (get16(frame, at) == ETH_P_8021Q || get16(frame, at) == ETH_P_8021AD); tags++)
		at += TAG_LEN;
	return tags;
}

/* One VLAN tag more moves the packet, and changes nothing else up to eight. */
static void check_tagging(const struct frame_view *frame, const struct outcome *whole)
{
	uint8_t *bytes = malloc(frame->linear + TAG_LEN);
	struct outcome tagged;

	if (!bytes)
		abort();
	memcpy(bytes, frame->bytes, 12);
	memcpy(bytes + 12, "\x88\xa8\x00\x07", TAG_LEN);
	memcpy(bytes + 12 + TAG_LEN, frame->bytes + 12, frame->linear - 12);
	tagged = parse_frame(&(struct frame_view){bytes, frame->linear + TAG_LEN, frame->len + TAG_LEN});
	free(bytes);
	if (count_tags(frame) < 8)
		PROPERTY(is_same(whole, &tagged, TAG_LEN), "%s; tagged: %s", print_reason(whole->reason),
			 print_reason(tagged.reason));
	else if (whole->reason != REASON_ETH_TRUNCATED && whole->reason != REASON_NOT_LINEAR)
		PROPERTY(tagged.reason == REASON_VLAN_DEPTH, "nine tags: %s", print_reason(tagged.reason));
}

static void fuzz_packet(const uint8_t *data, size_t size)
{
	struct frame_view frame = {data + BEYOND_BYTES, size - BEYOND_BYTES, size - BEYOND_BYTES};
	struct outcome outcome;

	if (size < BEYOND_BYTES)
		return;
	frame.len += (data[0] & 1) << 16 | data[1] << 8 | data[2];
	outcome = parse_frame(&frame);
	PROPERTY(is_of_bytes(outcome.reason), "%s is not for the parser to say", print_reason(outcome.reason));
	PROPERTY(outcome.reason != REASON_NOT_LINEAR || frame.len > frame.linear, "one buffer, and yet not linear");
	if (outcome.reason == REASON_NONE) {
		check_sound(&frame, &outcome.pkt);
		check_padding(&frame, &outcome);
	}
	if (outcome.reason == REASON_NONE && frame.len == frame.linear)
		check_cuts(&frame, &outcome.pkt);
	check_spreads(&frame, &outcome);
	if (frame.linear >= ETH_LEN)
		check_tagging(&frame, &outcome);
}

#endif
