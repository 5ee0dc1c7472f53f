/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes -> struct packet. No maps and no helpers, so that this file also compiles natively.
 *
 * A cursor walks Ethernet, VLAN tags, IPv4 or IPv6 with its extension headers, TCP. Each length is checked once, here,
 * and the struct can be trusted from then on. parse_packet() returns REASON_NONE for a sound packet, about which the
 * rules decide, else the reason that already settles it.
 */
#ifndef SYNWARDEN_PARSE_H
#define SYNWARDEN_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "types.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define PARSE_VLAN_TAGS	   8 /* the kernel strips any number of priority tags (VID 0), so two do not suffice */
#define PARSE_IPV6_HEADERS 8

/* TCP flags as they are in byte 13 of the header (RFC 9293 section 3.1). */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

#define IP_MF	   0x2000
#define IP_OFFSET  0x1fff
#define IP6_MF	   __builtin_bswap16(0x0001)
#define IP6_OFFSET __builtin_bswap16(0xfff8)

enum packet_kind {
	PACKET_OTHER,	 /* an IP packet that is not TCP */
	PACKET_FRAGMENT, /* a later fragment */
	PACKET_TCP,
	PACKET_OPAQUE, /* addresses known, but its further headers are not in the first buffer */
};

/* A sound IP packet. saddr and sport are the sender's. */
struct packet {
	struct addr saddr;
	struct addr daddr;
	__u16 sport; /* host order; ports and flags only where kind is PACKET_TCP */
	__u16 dport;
	__u8 kind; /* enum packet_kind */
	__u8 flags;
	__u8 fragmented; /* the first fragment of several */
	__u8 protocol;	 /* the one behind all IP headers */
	__u8 tcp_len;	 /* of the TCP header with its options, bytes */
	__u16 ip_at;	 /* where the IP and the TCP header begin in the frame, bytes */
	__u16 tcp_at;
	__u32 frame_len; /* bytes, in all buffers */
};

struct cursor {
	const void *at;
	const void *linear_end; /* end of what can be read directly */
	__u32 left;		/* bytes to the end of the frame; behind the IP header, to the end of the IP packet */
};

/* As struct ethhdr, whose fields are read byte by byte, because it is packed. */
struct parse_eth {
	__be16 dest[3];
	__be16 source[3];
	__be16 proto;
};

struct parse_vlan {
	__be16 tci;
	__be16 proto;
};

struct parse_ipv6_ext {
	__u8 nexthdr;
	__u8 len; /* 8-byte units beyond the first; 4-byte units beyond two for AH */
	__be16 frag_off;
	__be32 id;
};

/* In whole halves: a half that was written in parts cannot be read again before the parts have left the CPU's store
 * buffer. */
static __always_inline void parse_map_v4(struct addr *to, __be32 from)
{
	to->halves[0] = 0;
	to->halves[1] = (__u64)from << 32 | __builtin_bswap32(0x0000ffff);
}

static __always_inline int parse_is_v4(const struct addr *addr)
{
	return !addr->halves[0] && addr->words[2] == (__be32)__builtin_bswap32(0x0000ffff);
}

/* fe80::/10 (RFC 4291 section 2.5.6). */
static __always_inline int parse_is_link_local(const struct addr *addr)
{
	return (addr->words[0] & (__be32)__builtin_bswap32(0xffc00000)) == (__be32)__builtin_bswap32(0xfe800000);
}

/* Moves the cursor past a header of `len` bytes; 0: the first buffer ends before that. */
static __always_inline int parse_take(struct cursor *c, __u32 len, const void **header)
{
	*header = c->at;
	if (c->at + len > c->linear_end)
		return 0;
	c->at += len;
	c->left -= len;
	return 1;
}

/* Why parse_take() failed: the frame ends, or it goes on in another buffer. */
static __always_inline enum reason parse_short(const struct cursor *c, __u32 len, enum reason truncated)
{
	return c->left < len ? truncated : REASON_NOT_LINEAR;
}

/* The lists can still decide. */
static __always_inline enum reason parse_opaque(struct packet *pkt)
{
	pkt->kind = PACKET_OPAQUE;
	return REASON_NONE;
}

static __always_inline enum reason parse_tcp(struct cursor *c, struct packet *pkt)
{
	const struct tcphdr *tcp;
	__u32 doff, packet_left;

	if (c->left < sizeof(*tcp))
		return pkt->fragmented ? REASON_TCP_FRAGMENTED : REASON_TCP_TRUNCATED;
	packet_left = c->left;
	if (!parse_take(c, sizeof(*tcp), (const void **)&tcp))
		return parse_opaque(pkt);
	doff = tcp->doff * 4;
	if (doff < sizeof(*tcp))
		return REASON_TCP_DOFF_SHORT;
	if (doff > packet_left)
		return pkt->fragmented ? REASON_TCP_FRAGMENTED : REASON_TCP_DOFF_END;

	pkt->kind = PACKET_TCP;
	pkt->sport = __builtin_bswap16(tcp->source);
	pkt->dport = __builtin_bswap16(tcp->dest);
	pkt->flags = ((const __u8 *)tcp)[13];
	pkt->tcp_len = doff;

	if (!(pkt->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG)))
		return REASON_TCP_NO_FLAGS;
	if (pkt->flags & TCP_SYN && pkt->flags & TCP_FIN)
		return REASON_TCP_SYN_FIN;
	if (pkt->flags & TCP_SYN && pkt->flags & TCP_RST)
		return REASON_TCP_SYN_RST;
	if ((pkt->flags & (TCP_FIN | TCP_PSH | TCP_URG | TCP_ACK)) == (TCP_FIN | TCP_PSH | TCP_URG))
		return REASON_TCP_XMAS;
	return REASON_NONE;
}

static __always_inline enum reason parse_ipv4(struct cursor *c, struct packet *pkt)
{
	const struct iphdr *ip;
	const void *options;
	__u32 header, total, left = c->left;
	__u16 fragment;

	if (!parse_take(c, sizeof(*ip), (const void **)&ip))
		return parse_short(c, sizeof(*ip), REASON_IPV4_TRUNCATED);
	header = ip->ihl * 4;
	total = __builtin_bswap16(ip->tot_len);
	/* A total length of 0 is a packet of more than 64 KiB inside this host (BIG TCP, include/net/ip.h). */
	if (!total && left > 0xffff)
		total = left;
	if (ip->version != 4 || header < sizeof(*ip) || total < header)
		return REASON_IPV4_HEADER;
	if (total > left)
		return REASON_IPV4_TRUNCATED;
	parse_map_v4(&pkt->saddr, ip->saddr);
	parse_map_v4(&pkt->daddr, ip->daddr);
	pkt->protocol = ip->protocol;
	pkt->tcp_at = pkt->ip_at + header;
	if (!parse_take(c, header - sizeof(*ip), &options))
		return parse_opaque(pkt);

	c->left = total - header;
	fragment = __builtin_bswap16(ip->frag_off);
	pkt->fragmented = !!(fragment & IP_MF);
	if (fragment & IP_OFFSET)
		pkt->kind = PACKET_FRAGMENT;
	return REASON_NONE;
}

/*
 * Which protocols are IPv6 extension headers, and in what unit byte 1 gives their length beyond the first 8 bytes
 * (RFC 8200 section 4, 4302, 5533, 6275, 7401). A table, because a switch in the loop is too many paths for the
 * verifier.
 */
#define IPPROTO_HIP   139 /* <linux/in.h> lacks these two */
#define IPPROTO_SHIM6 140
#define EXT_FIXED     1	 /* no length byte */
#define EXT_UNITS     12 /* 4 or 8 */
static const __u8 parse_ext_units[256] = {
	[IPPROTO_HOPOPTS] = 8, [IPPROTO_ROUTING] = 8, [IPPROTO_DSTOPTS] = 8, [IPPROTO_MH] = 8,
	[IPPROTO_HIP] = 8,     [IPPROTO_SHIM6] = 8,   [IPPROTO_AH] = 4,	     [IPPROTO_FRAGMENT] = EXT_FIXED,
};

static __always_inline __u32 parse_ext_len(const struct parse_ipv6_ext *ext, __u8 unit)
{
	/* At most 3,068; repeated for verifiers that lose the bound when the value is spilled (Linux 6.1). */
	return (sizeof(*ext) + ext->len * (unit & EXT_UNITS)) & 0xfff;
}

/* The headers behind the fixed one, of which the first is `next`. */
static __always_inline enum reason parse_ipv6_chain(struct cursor *c, struct packet *pkt, __u8 next)
{
	const struct parse_ipv6_ext *ext;
	const void *header;
	__be16 fragment = 0;
	__u32 len;
	__u8 unit;
	int i;

	for (i = 0; i < PARSE_IPV6_HEADERS; i++) {
		unit = parse_ext_units[next];
		if (!unit)
			break;
		if (c->left < sizeof(*ext))
			return REASON_IPV6_HEADER;
		if (c->at + sizeof(*ext) > c->linear_end)
			return parse_opaque(pkt);
		ext = c->at;
		len = parse_ext_len(ext, unit);
		if (len > c->left)
			return REASON_IPV6_HEADER;
		if (next == IPPROTO_FRAGMENT)
			fragment = ext->frag_off;
		next = ext->nexthdr;
		if (fragment & IP6_OFFSET)
			break;
		if (!parse_take(c, len, &header))
			return parse_opaque(pkt);
		pkt->tcp_at += len;
	}
	pkt->protocol = next;
	pkt->fragmented = !!(fragment & IP6_MF);
	if (fragment & IP6_OFFSET) {
		pkt->kind = PACKET_FRAGMENT;
		return REASON_NONE;
	}
	return parse_ext_units[next] ? REASON_IPV6_CHAIN : REASON_NONE;
}

static __always_inline enum reason parse_ipv6(struct cursor *c, struct packet *pkt)
{
	const struct ipv6hdr *ip;
	__u32 payload;

	if (!parse_take(c, sizeof(*ip), (const void **)&ip))
		return parse_short(c, sizeof(*ip), REASON_IPV6_TRUNCATED);
	if (ip->version != 6)
		return REASON_IPV6_HEADER;
	payload = __builtin_bswap16(ip->payload_len);
	/* In a frame of more than 64 KiB, a payload length of 0 is a jumbogram (RFC 2675), inside this host BIG TCP. */
	if (!payload && c->left > 0xffff)
		payload = c->left;
	if (payload > c->left)
		return REASON_IPV6_TRUNCATED;
	c->left = payload;
	__builtin_memcpy(&pkt->saddr, &ip->saddr, sizeof(pkt->saddr));
	__builtin_memcpy(&pkt->daddr, &ip->daddr, sizeof(pkt->daddr));
	if (parse_is_v4(&pkt->saddr)) /* the kernel refuses it too (ip6_rcv_core()); here it means IPv4 */
		return REASON_IPV6_HEADER;
	pkt->tcp_at = pkt->ip_at + sizeof(*ip);
	return parse_ipv6_chain(c, pkt, ip->nexthdr);
}

/*
 * frame_len is the whole frame's length in bytes; it exceeds data_end - data for multi-buffer frames.
 * `pkt` is all zero before, and filled as far as the packet was sound.
 */
static __always_inline enum reason parse_packet(void *data, void *data_end, __u32 frame_len, struct packet *pkt)
{
	struct cursor c = {.at = data, .linear_end = data_end, .left = frame_len};
	const struct parse_vlan *vlan;
	const struct parse_eth *eth;
	enum reason reason;
	__be16 proto;
	int i;

	pkt->frame_len = frame_len;
	if (!parse_take(&c, sizeof(*eth), (const void **)&eth))
		return parse_short(&c, sizeof(*eth), REASON_ETH_TRUNCATED);
	proto = eth->proto;
	for (i = 0; i < PARSE_VLAN_TAGS; i++) {
		if (proto != __builtin_bswap16(ETH_P_8021Q) && proto != __builtin_bswap16(ETH_P_8021AD))
			break;
		if (!parse_take(&c, sizeof(*vlan), (const void **)&vlan))
			return parse_short(&c, sizeof(*vlan), REASON_ETH_TRUNCATED);
		proto = vlan->proto;
	}
	pkt->ip_at = sizeof(*eth) + i * sizeof(*vlan);

	if (proto == __builtin_bswap16(ETH_P_IP))
		reason = parse_ipv4(&c, pkt);
	else if (proto == __builtin_bswap16(ETH_P_IPV6))
		reason = parse_ipv6(&c, pkt);
	else if (proto == __builtin_bswap16(ETH_P_8021Q) || proto == __builtin_bswap16(ETH_P_8021AD))
		return REASON_VLAN_DEPTH;
	else
		return REASON_NOT_IP;

	if (reason == REASON_NONE && pkt->kind == PACKET_OTHER && pkt->protocol == IPPROTO_TCP)
		reason = parse_tcp(&c, pkt);
	return reason;
}

/* A SYN without ACK, which asks for a connection; a SYN-ACK is an ordinary segment. */
static __always_inline int parse_is_syn(const struct packet *pkt)
{
	return pkt->kind == PACKET_TCP && (pkt->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

#endif
