// SPDX-License-Identifier: GPL-2.0-only
/*
 * Link layer, IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200) and TCP (RFC 9293), by a cursor that checks
 * each length once.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "segments/headers.h"

#define MAX_TAGS	8
#define MAX_EXTENSIONS	8
#define IP6_HEADER	40
#define IP4_HEADER	20
#define TCP_HEADER	20
#define SLL_HEADER	16
#define SLL_PROTOCOL	14
#define SLL2_HEADER	20
#define FRAGMENT_OFFSET 0x1fff

#define OPTION_END	      0
#define OPTION_NOP	      1
#define OPTION_MSS	      2
#define OPTION_WSCALE	      3
#define OPTION_SACK_PERMITTED 4
#define OPTION_SACK	      5
#define OPTION_TIMESTAMPS     8
#define OPTION_MPTCP	      30
#define OPTION_TFO	      34

struct cursor {
	const uint8_t *at;
	size_t left; /* bytes captured behind `at` */
};

static const uint8_t *take(struct cursor *cursor, size_t bytes)
{
	const uint8_t *taken = cursor->at;

	if (cursor->left < bytes)
		return NULL;
	cursor->at += bytes;
	cursor->left -= bytes;
	return taken;
}

static uint16_t get16(const uint8_t *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

/* The EtherType behind up to MAX_TAGS VLAN tags; 0: cut off. */
static uint16_t skip_tags(struct cursor *cursor, uint16_t type)
{
	const uint8_t *tag;
	int tags = 0;

	while ((type == ETHERTYPE_VLAN || type == 0x88a8 || type == 0x9100) && tags++ < MAX_TAGS) {
		tag = take(cursor, 4);
		if (!tag)
			return 0;
		type = get16(tag + 2);
	}
	return type;
}

static enum headers_result skip_protocol(struct cursor *cursor, size_t header, size_t offset)
{
	const uint8_t *bytes = take(cursor, header);
	uint16_t type;

	if (!bytes)
		return HEADERS_CUT;
	type = skip_tags(cursor, get16(bytes + offset));
	if (!type)
		return HEADERS_CUT;
	return type == ETHERTYPE_IP || type == ETHERTYPE_IPV6 ? HEADERS_TCP : HEADERS_OTHER;
}

/* Moves the cursor behind the link layer. */
static enum headers_result skip_link(struct cursor *cursor, enum headers_link link)
{
	switch (link) {
	case HEADERS_ETHERNET:
		return skip_protocol(cursor, ETHER_HDR_LEN, 12);
	case HEADERS_LINUX_SLL:
		return skip_protocol(cursor, SLL_HEADER, SLL_PROTOCOL);
	case HEADERS_LINUX_SLL2:
		return skip_protocol(cursor, SLL2_HEADER, 0);
	case HEADERS_NULL:
		return take(cursor, 4) ? HEADERS_TCP : HEADERS_CUT;
	case HEADERS_IP:
		break;
	}
	return HEADERS_TCP;
}

static void take_word_option(struct segment *segment, uint8_t kind, const uint8_t *data, size_t len)
{
	switch (kind) {
	case OPTION_MSS:
		if (len == 2)
			segment->mss = get16(data);
		break;
	case OPTION_WSCALE:
		if (len == 1)
			segment->wscale = data[0];
		break;
	case OPTION_SACK:
		if (len < 8)
			break;
		segment->options |= SEGMENT_OPTION_SACK;
		segment->sack[0] = get32(data);
		segment->sack[1] = get32(data + 4);
		break;
	}
}

static void take_option(struct segment *segment, uint8_t kind, const uint8_t *data, size_t len)
{
	switch (kind) {
	case OPTION_SACK_PERMITTED:
		segment->options |= SEGMENT_OPTION_SACK_PERMITTED;
		break;
	case OPTION_TIMESTAMPS:
		segment->options |= SEGMENT_OPTION_TIMESTAMPS;
		break;
	case OPTION_MPTCP:
		segment->options |= SEGMENT_OPTION_MPTCP;
		break;
	case OPTION_TFO:
		segment->options |= SEGMENT_OPTION_TFO;
		break;
	default:
		take_word_option(segment, kind, data, len);
	}
}

/* Stops at the first option that is cut off or whose length is impossible. */
static void parse_options(struct segment *segment, struct cursor options)
{
	const uint8_t *head, *data;

	while ((head = take(&options, 1)) && head[0] != OPTION_END) {
		if (head[0] == OPTION_NOP)
			continue;
		data = take(&options, 1);
		if (!data || data[0] < 2)
			return;
		data = take(&options, data[0] - 2);
		if (!data)
			return;
		take_option(segment, head[0], data, head[1] - 2);
	}
}

/* `bytes`: what IP says that the segment has, header included. Leaves the cursor at the payload. */
static enum headers_result parse_tcp(struct segment *segment, struct cursor *cursor, size_t bytes)
{
	const uint8_t *tcp = take(cursor, TCP_HEADER);
	struct cursor options;
	size_t header;

	if (bytes < TCP_HEADER)
		return HEADERS_MALFORMED;
	if (!tcp)
		return HEADERS_CUT;
	header = (tcp[12] >> 4) * 4;
	if (header < TCP_HEADER || header > bytes)
		return HEADERS_MALFORMED;
	segment->sport = get16(tcp);
	segment->dport = get16(tcp + 2);
	segment->seq = get32(tcp + 4);
	segment->flags = tcp[13];
	segment->ack = segment->flags & SEGMENT_ACK ? get32(tcp + 8) : 0;
	segment->window = get16(tcp + 14);
	segment->len = bytes - header;
	segment->segs = 1;
	segment->mss = 0;
	segment->options = 0;
	segment->wscale = SEGMENT_NO_WSCALE;
	options = *cursor;
	if (options.left > header - TCP_HEADER)
		options.left = header - TCP_HEADER;
	parse_options(segment, options);
	if (!take(cursor, header - TCP_HEADER))
		cursor->left = 0;
	if (cursor->left > segment->len) /* the link layer's padding */
		cursor->left = segment->len;
	return HEADERS_TCP;
}

static enum headers_result parse_ipv4(struct segment *segment, struct cursor *cursor)
{
	const uint8_t *ip = take(cursor, IP4_HEADER);
	size_t header, total;

	if (!ip)
		return HEADERS_CUT;
	header = (ip[0] & 0xf) * 4;
	total = get16(ip + 2);
	/* Segmentation offload writes 0 for what is longer than 65,535 bytes. */
	if (!total)
		total = IP4_HEADER + cursor->left;
	if (header < IP4_HEADER || total < header)
		return HEADERS_MALFORMED;
	if (ip[9] != IPPROTO_TCP || get16(ip + 6) & FRAGMENT_OFFSET)
		return HEADERS_OTHER;
	if (!take(cursor, header - IP4_HEADER))
		return HEADERS_CUT;
	segment->src = segment->dst = (struct addr){.bytes = {[10] = 0xff, [11] = 0xff}};
	memcpy(segment->src.bytes + 12, ip + 12, 4);
	memcpy(segment->dst.bytes + 12, ip + 16, 4);
	return parse_tcp(segment, cursor, total - header);
}

/* The length of an extension header, by its first bytes; 0: `next` is none that is skipped. */
static size_t extension_length(uint8_t next, const uint8_t *bytes)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return bytes[1] * 8 + 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return bytes[1] * 4 + 8;
	}
	return 0;
}

static bool is_extension(uint8_t next)
{
	static const uint8_t none[2];

	return extension_length(next, none);
}

static enum headers_result skip_extensions(struct cursor *cursor, uint8_t *next, size_t *bytes)
{
	size_t length;
	int count;

	for (count = 0; count < MAX_EXTENSIONS && is_extension(*next); count++) {
		if (cursor->left < 8)
			return *bytes < 8 ? HEADERS_MALFORMED : HEADERS_CUT;
		length = extension_length(*next, cursor->at);
		if (length > *bytes)
			return HEADERS_MALFORMED;
		if (*next == IPPROTO_FRAGMENT && get16(cursor->at + 2) & 0xfff8)
			return HEADERS_OTHER;
		*next = cursor->at[0];
		*bytes -= length;
		if (!take(cursor, length))
			return HEADERS_CUT;
	}
	return *next == IPPROTO_TCP ? HEADERS_TCP : HEADERS_OTHER;
}

static enum headers_result parse_ipv6(struct segment *segment, struct cursor *cursor)
{
	const uint8_t *ip = take(cursor, IP6_HEADER);
	enum headers_result result;
	uint8_t next;
	size_t bytes;

	if (!ip)
		return HEADERS_CUT;
	next = ip[6];
	bytes = get16(ip + 4);
	if (!bytes) /* a jumbogram, or segmentation offload beyond 65,535 bytes */
		bytes = cursor->left;
	memcpy(&segment->src, ip + 8, sizeof(segment->src));
	memcpy(&segment->dst, ip + 24, sizeof(segment->dst));
	result = skip_extensions(cursor, &next, &bytes);
	return result == HEADERS_TCP ? parse_tcp(segment, cursor, bytes) : result;
}

static enum headers_result parse_ip(struct segment *segment, struct cursor *cursor)
{
	if (!cursor->left)
		return HEADERS_CUT;
	switch (cursor->at[0] >> 4) {
	case 4:
		return parse_ipv4(segment, cursor);
	case 6:
		return parse_ipv6(segment, cursor);
	}
	return HEADERS_OTHER;
}

enum headers_result headers__parse(struct segment *segment, struct headers_payload *payload, enum headers_link link,
				   const uint8_t *bytes, size_t captured)
{
	struct cursor cursor = {bytes, captured};
	enum headers_result result = skip_link(&cursor, link);

	if (result == HEADERS_TCP)
		result = parse_ip(segment, &cursor);
	if (result == HEADERS_TCP)
		*payload = (struct headers_payload){cursor.at, cursor.left};
	return result;
}
