/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet frames from a description in which 0 is "as it should be": {} is a sound IPv4 SYN of 54 bytes.
 *
 * Whatever the protocol, a TCP header stands behind the IP headers, so that a filter which looks where it should not
 * is caught. Checksums are right; frame_sums() makes them so again after a change.
 */
#ifndef SYNWARDEN_TESTS_FRAMES_H
#define SYNWARDEN_TESTS_FRAMES_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 73000 /* about what BPF_PROG_TEST_RUN takes */
#define FRAME_EXT 12

/* Says a field's value where 0 is meant, or where it is a lie. */
#define SAID(n)	       ((n) | 1 << 24)
#define SAY(field, so) ((field) ? (field) & ~(1 << 24) : (so))

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, URG = 0x20, ECE = 0x40, CWR = 0x80 };
enum { IP4_MF = 0x2000, IP4_DF = 0x4000, IP4_RESERVED = 0x8000, EXT_MF = 0x0001 };
enum { EXT_HIP = 139, EXT_SHIM6 = 140, EXT_MH = 135 };

/* An IPv6 extension header; the list of a frame ends with an all-zero one, so hop-by-hop (0) has `hop` set. */
struct frame_ext {
	uint8_t type;
	uint8_t len;	   /* the header's own length byte, and how long it is (but for a fragment header: 8 bytes) */
	uint16_t fragment; /* offset in bytes and EXT_MF; of a fragment header */
	bool hop;
};

#define FRAME_TAGS 10

struct frame_spec {
	uint16_t tags[FRAME_TAGS]; /* TPIDs of VLAN tags, outermost first */
	uint32_t ethertype;	   /* SAID() */
	bool ip6;		   /* also set by an IPv6 `from` */
	const char *from;	   /* source address */
	uint32_t protocol;	   /* SAID(); TCP */
	uint16_t fragment;	   /* IPv4: flags, and offset in units of 8 bytes */
	uint8_t ecn;		   /* the last bits of TOS or traffic class */
	uint8_t ip_options;	   /* IPv4: bytes */
	struct frame_ext ext[FRAME_EXT];

	uint32_t dport; /* SAID(); 80 */
	uint32_t flags; /* SAID(); SYN */
	uint8_t tcp_options;
	uint8_t reserved; /* the bits beside the data offset; the lowest is AE (RFC 9768) */
	uint32_t payload;

	uint32_t version; /* SAID() */
	uint32_t ihl;	  /* SAID(); words */
	uint32_t doff;	  /* SAID(); words */
	uint32_t length;  /* SAID(); IPv4 total length, IPv6 payload length */

	uint32_t keep;	 /* SAID(); bytes behind the (fixed) IP header that are there, and IP's length says so */
	uint32_t pad;	 /* bytes behind the IP packet */
	uint32_t cut;	 /* SAID(); the frame's length, whatever IP says */
	uint32_t linear; /* SAID(); bytes in the frame's first buffer; 0: as many as fit */
};

struct frame {
	uint32_t len;
	uint32_t linear; /* as in the description */
	uint32_t ip;	 /* where the IP header stands */
	uint32_t tcp;	 /* and the TCP header */
	uint32_t end;	 /* of the IP packet */
	bool ip6;
	uint8_t bytes[FRAME_MAX];
};

static inline void frame_put(struct frame *f, const void *bytes, size_t len)
{
	if (f->len + len > FRAME_MAX)
		abort();
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static inline void frame_put16(struct frame *f, uint16_t value)
{
	uint16_t net = htons(value);

	frame_put(f, &net, sizeof(net));
}

/* Bytes that look like nothing in particular. */
static inline void frame_fill(struct frame *f, size_t len)
{
	while (len--)
		frame_put(f, &(uint8_t){0x5a + 7 * f->len}, 1);
}

static inline void frame_set16(struct frame *f, uint32_t at, uint16_t value)
{
	uint16_t net = htons(value);

	memcpy(f->bytes + at, &net, sizeof(net));
}

/* RFC 1071, over big-endian words. */
static inline uint32_t frame_add(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static inline uint16_t frame_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Sets the checksums of the IPv4 and of the TCP header; of what is cut short, none. */
static inline void frame_sums(struct frame *f)
{
	uint32_t ihl = (f->bytes[f->ip] & 15) * 4, addresses = f->ip + (f->ip6 ? 8 : 12), sum;

	if (f->end < f->tcp + 20 || f->len < f->end)
		return;
	if (!f->ip6 && f->ip + ihl <= f->len) {
		frame_set16(f, f->ip + 10, 0);
		frame_set16(f, f->ip + 10, ~frame_fold(frame_add(0, f->bytes + f->ip, ihl)));
	}
	frame_set16(f, f->tcp + 16, 0);
	sum = frame_add(IPPROTO_TCP + f->end - f->tcp, f->bytes + addresses, f->ip6 ? 32 : 8);
	sum = frame_fold(frame_fold(sum) + frame_fold(frame_add(0, f->bytes + f->tcp, f->end - f->tcp)));
	frame_set16(f, f->tcp + 16, ~sum);
}

/* Puts another source address, 4 or 16 bytes, into a finished frame. */
static inline void frame_from(struct frame *f, const void *address)
{
	memcpy(f->bytes + f->ip + (f->ip6 ? 8 : 12), address, f->ip6 ? 16 : 4);
	frame_sums(f);
}

static inline void frame_ethernet(struct frame *f, const struct frame_spec *s)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	size_t i;

	frame_put(f, macs, sizeof(macs));
	for (i = 0; i < FRAME_TAGS && s->tags[i]; i++) {
		frame_put16(f, s->tags[i]);
		frame_put16(f, 100);
	}
	frame_put16(f, SAY(s->ethertype, f->ip6 ? ETH_P_IPV6 : ETH_P_IP));
}

static inline void frame_ipv4(struct frame *f, const struct frame_spec *s)
{
	uint32_t ihl = SAY(s->ihl, 5u + s->ip_options / 4);

	frame_put(f, (uint8_t[]){SAY(s->version, 4u) << 4 | ihl, s->ecn, 0, 0, 0xca, 0xfe}, 6);
	frame_put16(f, s->fragment);
	frame_put(f, (uint8_t[]){64, SAY(s->protocol, IPPROTO_TCP), 0, 0}, 4);
	frame_put(f, (uint8_t[]){192, 0, 2, 1, 198, 51, 100, 1}, 8);
	for (int i = 0; i < s->ip_options; i++)
		frame_put(f, &(uint8_t){1}, 1); /* no operation */
}

static inline bool frame_has_ext(const struct frame_ext *ext)
{
	return ext->type || ext->hop;
}

static inline void frame_ext(struct frame *f, const struct frame_ext *ext, uint8_t next)
{
	uint32_t len = ext->type == IPPROTO_AH ? 8 + ext->len * 4 : 8 + ext->len * 8;

	frame_put(f, (uint8_t[]){next, ext->len}, 2);
	frame_put16(f, ext->fragment);
	frame_fill(f, ext->type == IPPROTO_FRAGMENT ? 4 : len - 4);
}

static inline void frame_ipv6(struct frame *f, const struct frame_spec *s)
{
	static const uint8_t from[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	static const uint8_t to[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1};
	const struct frame_ext *ext = s->ext;
	uint8_t last = SAY(s->protocol, IPPROTO_TCP);

	/* A traffic class of which four bits share the version's byte. */
	frame_put(f, (uint8_t[]){SAY(s->version, 6u) << 4 | 0xa, 0x40 | s->ecn << 4, 0, 1, 0, 0}, 6);
	frame_put(f, (uint8_t[]){frame_has_ext(ext) ? ext->type : last, 64}, 2);
	frame_put(f, from, sizeof(from));
	frame_put(f, to, sizeof(to));
	for (; frame_has_ext(ext); ext++)
		frame_ext(f, ext, frame_has_ext(ext + 1) ? ext[1].type : last);
}

static inline void frame_tcp(struct frame *f, const struct frame_spec *s)
{
	uint32_t doff = SAY(s->doff, 5u + s->tcp_options / 4);

	frame_put16(f, 40000);
	frame_put16(f, SAY(s->dport, 80));
	frame_put(f, (uint8_t[]){0, 0, 0, 7, 0, 0, 0, 0}, 8);
	frame_put(f, (uint8_t[]){doff << 4 | s->reserved, SAY(s->flags, SYN), 0xff, 0xff, 0, 0, 0, 0}, 8);
	for (int i = 0; i < s->tcp_options; i++)
		frame_put(f, &(uint8_t){1}, 1); /* no operation */
	frame_fill(f, s->payload);
}

static inline void frame_build(struct frame *f, const struct frame_spec *s)
{
	uint8_t address[16];
	uint32_t fixed;

	f->len = 0;
	f->linear = s->linear;
	f->ip6 = s->ip6 || (s->from && strchr(s->from, ':'));
	frame_ethernet(f, s);
	f->ip = f->len;
	if (f->ip6)
		frame_ipv6(f, s);
	else
		frame_ipv4(f, s);
	if (s->from && inet_pton(f->ip6 ? AF_INET6 : AF_INET, s->from, address) != 1)
		abort();
	f->tcp = f->len;
	f->end = 0;
	if (s->from)
		frame_from(f, address);
	fixed = f->ip6 ? f->ip + 40 : f->len;
	frame_tcp(f, s);

	if (s->keep)
		f->len = fixed + SAY(s->keep, 0u);
	f->end = f->len;
	if (f->ip6)
		frame_set16(f, f->ip + 4, SAY(s->length, f->len - fixed));
	else
		frame_set16(f, f->ip + 2, SAY(s->length, f->len - f->ip));
	frame_sums(f);
	frame_fill(f, s->pad);
	if (s->cut)
		f->len = SAY(s->cut, 0u);
}

#endif
