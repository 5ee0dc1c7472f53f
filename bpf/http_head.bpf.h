/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a message begins: a method, a status line, the preface of HTTP/2, a TLS record. Its first bytes are gathered in
 * the socket's record as they come, in segments of any length. No map is used here.
 */
#ifndef SYNWARDEN_HTTP_HEAD_H
#define SYNWARDEN_HTTP_HEAD_H

#include "http_packet.bpf.h"

#define HTTP_HEAD_BYTES 16 /* a method, or a status line as far as the status: what is gathered */

#define HTTP_TLS_HANDSHAKE 0x16 /* types of TLS records: RFC 8446, section 5.1 */
#define HTTP_TLS_ALERT	   0x15
#define HTTP_SETTINGS	   4 /* type of the HTTP/2 frame that each side sends first: RFC 9113, section 3.4 */

/* Twice as long as what is gathered, so that the verifier sees each store within. */
struct http_head {
	__u8 bytes[2 * HTTP_HEAD_BYTES];
	__u32 count;
};

/* What a comparison returns; a higher number: it matches. */
enum http_match {
	HTTP_MATCH_MORE, /* so far; more bytes are needed */
	HTTP_MATCH_NO,
	HTTP_MATCH_YES,
};

/* Appends what the packet has from payload byte `from` on. */
static __always_inline int http_head_append(struct http_head *head, const struct http_packet *p, __u32 from)
{
	__u32 at = head->count & (HTTP_HEAD_BYTES - 1), room = HTTP_HEAD_BYTES - at, n;

	if (from >= p->len)
		return -1;
	n = p->len - from < room ? p->len - from : room;
	n = ((n - 1) & (HTTP_HEAD_BYTES - 1)) + 1;
	if (bpf_skb_load_bytes(p->skb, p->at + from, head->bytes + at, n))
		return -1;
	head->count = at + n;
	return 0;
}

/* 1 where `c` is one of the `count` characters from `low` on. Without a branch, of which the verifier would take both.
 */
static __always_inline __u32 http_head_is(__u8 c, __u8 low, __u32 count)
{
	return (((__u32)(c - low) & 0xff) - count) >> 31;
}

/* The last four letters, or fewer, between the bits `begin` and `stop` as a number. */
static __always_inline __u32 http_head_name(const struct http_head *head, __u32 begin, __u32 stop)
{
	__u32 name = 0, i;

	for (i = 0; i < HTTP_HEAD_BYTES; i++) {
		if (stop >> i & 1)
			return name;
		name = begin >> i & 1 ? head->bytes[i] : name << 8 | head->bytes[i];
	}
	return name;
}

/*
 * The comparisons are global functions, which the verifier looks at once, and not on each path that leads to them.
 *
 * A token of upper-case letters and a space, as every registered method is (RFC 9110, section 16.1), behind line ends
 * that are to be ignored (RFC 9112, section 2.2). Where it matches, returns http_head_name().
 *
 * In the masks, bit i stands for byte i. Adding the token's first bit to those of all letters carries it to the byte
 * behind the token.
 */
__noinline __u32 http_head_method(const struct http_head *head)
{
	__u32 letters = 0, spaces = 0, ends = 0, begin, stop, i;

	if (!head)
		return HTTP_MATCH_NO;
#pragma unroll
	for (i = 0; i < HTTP_HEAD_BYTES; i++) {
		__u8 c = head->bytes[i];

		letters |= (http_head_is(c, 'A', 26) | http_head_is(c, '-', 1)) << i;
		spaces |= http_head_is(c, ' ', 1) << i;
		ends |= (http_head_is(c, '\r', 1) | http_head_is(c, '\n', 1)) << i;
	}
	begin = ~ends & (ends + 1);
	if (begin >> head->count)
		return head->count < HTTP_HEAD_BYTES ? HTTP_MATCH_MORE : HTTP_MATCH_NO;
	if (!(letters & begin))
		return HTTP_MATCH_NO;
	stop = (letters & ~(begin - 1)) + begin;
	stop &= -stop;
	if (stop >> head->count)
		return head->count < HTTP_HEAD_BYTES ? HTTP_MATCH_MORE : HTTP_MATCH_NO;
	return spaces & stop ? http_head_name(head, begin, stop) : HTTP_MATCH_NO;
}

/* "HTTP/1.1 200". Where it matches, returns the number, which is 100 or more. */
__noinline __u32 http_head_status(const struct http_head *head)
{
	static const __u8 form[12] = "HTTP/1.0 100"; /* 0: any digit; 1: one from 1 on */
	__u32 status = 0, i;

	if (!head)
		return HTTP_MATCH_NO;
	for (i = 0; i < sizeof(form); i++) {
		__u8 c = head->bytes[i];

		if (i >= head->count)
			return HTTP_MATCH_MORE;
		if (i < 7 || i == 8 ? c != form[i] : c < form[i] || c > '9')
			return HTTP_MATCH_NO;
		if (i > 8)
			status = status * 10 + c - '0';
	}
	return status;
}

__noinline __u32 http_head_preface(const struct http_head *head)
{
	static const __u8 form[6] = "PRI * ";
	__u32 i;

	if (!head)
		return HTTP_MATCH_NO;
	for (i = 0; i < sizeof(form); i++) {
		if (i >= head->count)
			return HTTP_MATCH_MORE;
		if (head->bytes[i] != form[i])
			return HTTP_MATCH_NO;
	}
	return HTTP_MATCH_YES;
}

/* `alert`: the other side may also refuse. */
__noinline __u32 http_head_tls(const struct http_head *head, int alert)
{
	if (!head)
		return HTTP_MATCH_NO;
	if (!head->count)
		return HTTP_MATCH_MORE;
	if (head->bytes[0] != HTTP_TLS_HANDSHAKE && !(alert && head->bytes[0] == HTTP_TLS_ALERT))
		return HTTP_MATCH_NO;
	if (head->count < 3)
		return HTTP_MATCH_MORE;
	return head->bytes[1] == 3 && head->bytes[2] <= 4 ? HTTP_MATCH_YES : HTTP_MATCH_NO;
}

static __always_inline __u32 http_head_settings(const struct http_head *head)
{
	if (head->count < 4)
		return HTTP_MATCH_MORE;
	return head->bytes[3] == HTTP_SETTINGS ? HTTP_MATCH_YES : HTTP_MATCH_NO;
}

/* The kind of a connection whose first bytes these are. */
static __always_inline __u32 http_head_opening(const struct http_head *head, enum http_kind *kind)
{
	__u32 match = http_head_preface(head);

	*kind = HTTP_KIND_2;
	if (match != HTTP_MATCH_NO)
		return match;
	*kind = HTTP_KIND_TLS;
	match = http_head_tls(head, 0);
	if (match != HTTP_MATCH_NO)
		return match;
	*kind = HTTP_KIND_1;
	return http_head_method(head);
}

#endif
