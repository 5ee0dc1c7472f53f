// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses in the form of inet_ntop(), which would take longer than all the rest of a line.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "text/digits.h"
#include "text/address.h"

#define GROUPS 8

struct addr address__from_v4(uint32_t v4)
{
	return (struct addr){.words = {0, 0, htonl(0xffff), v4}};
}

struct addr address__from_sockaddr(const struct sockaddr *from)
{
	struct addr addr = {};

	if (from->sa_family == AF_INET)
		return address__from_v4(((const struct sockaddr_in *)from)->sin_addr.s_addr);
	if (from->sa_family == AF_INET6)
		memcpy(&addr, &((const struct sockaddr_in6 *)from)->sin6_addr, sizeof(addr));
	return addr;
}

struct addr address__source(const struct addr *addr)
{
	struct addr source = *addr;

	if (!print_is_v4(addr))
		source.halves[1] = 0;
	return source;
}

bool print_is_v4(const struct addr *addr)
{
	return !addr->halves[0] && addr->words[2] == htonl(0xffff);
}

bool print_is_loopback(const struct addr *addr)
{
	static const struct addr one = {.bytes = {[15] = 1}};

	return print_is_v4(addr) ? addr->bytes[12] == 127 : !memcmp(addr, &one, sizeof(one));
}

static char *put_v4(char *at, const __u8 bytes[4])
{
	int i;

	for (i = 0; i < 4; i++) {
		at = digits_put(at, bytes[i]);
		*at++ = '.';
	}
	return at - 1;
}

static char *put_group(char *at, unsigned group)
{
	int shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0;

	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[group >> shift & 0xf];
	return at;
}

/* The first of the longest runs of zeros becomes "::": [*from, *to), which is empty where none is longer than one. */
static void find_zeros(const unsigned groups[GROUPS], int *from, int *to)
{
	int i, end;

	*from = *to = GROUPS;
	for (i = 0; i < GROUPS; i = end + 1) {
		for (end = i; end < GROUPS && !groups[end]; end++)
			;
		if (end - i < 2 || end - i <= *to - *from)
			continue;
		*from = i;
		*to = end;
	}
}

static char *put_v6(char *at, const struct addr *addr)
{
	unsigned groups[GROUPS];
	int i, from, to;

	for (i = 0; i < GROUPS; i++)
		groups[i] = addr->bytes[2 * i] << 8 | addr->bytes[2 * i + 1];
	find_zeros(groups, &from, &to);
	for (i = 0; i < GROUPS; i++) {
		if (i == from) {
			*at++ = ':';
			i = to;
			if (i == GROUPS)
				*at++ = ':';
		}
		if (i == GROUPS)
			break;
		if (i)
			*at++ = ':';
		if (i == 6 && !from && to == 6) /* ::192.0.2.1, the old v4-compatible form */
			return put_v4(at, &addr->bytes[12]);
		at = put_group(at, groups[i]);
	}
	return at;
}

static char *put_addr(char *at, const struct addr *addr)
{
	return print_is_v4(addr) ? put_v4(at, &addr->bytes[12]) : put_v6(at, addr);
}

char *print_addr(char buf[PRINT_ADDR_LEN], const struct addr *addr)
{
	*put_addr(buf, addr) = '\0';
	return buf;
}

char *print_endpoint(char buf[PRINT_ENDPOINT_LEN], const struct addr *addr, uint16_t port)
{
	bool brackets = !print_is_v4(addr);
	char *at = buf;

	if (brackets)
		*at++ = '[';
	at = put_addr(at, addr);
	if (brackets)
		*at++ = ']';
	*at++ = ':';
	*digits_put(at, port) = '\0';
	return buf;
}

char *print_prefix(char buf[PRINT_PREFIX_LEN], const struct prefix *prefix)
{
	struct addr addr;
	char *at;
	bool v4;

	memcpy(addr.words, prefix->words, sizeof(addr.words));
	v4 = print_is_v4(&addr) && prefix->prefixlen >= 96;
	at = put_addr(buf, &addr);
	if (prefix->prefixlen != 128) {
		*at++ = '/';
		at = digits_put(at, prefix->prefixlen - (v4 ? 96 : 0));
	}
	*at = '\0';
	return buf;
}

char *print_source(char buf[PRINT_PREFIX_LEN], const struct addr *addr)
{
	struct prefix prefix = {.prefixlen = print_is_v4(addr) ? 128 : 64};

	memcpy(prefix.words, addr->words, sizeof(prefix.words));
	return print_prefix(buf, &prefix);
}
