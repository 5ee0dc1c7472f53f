/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses, prefixes and endpoints as text. The functions that fill a buffer always terminate it, and return it.
 */
#ifndef SYNWARDEN_TEXT_ADDRESS_H
#define SYNWARDEN_TEXT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "types.h"

#define PRINT_ADDR_LEN	   46 /* INET6_ADDRSTRLEN */
#define PRINT_ENDPOINT_LEN 56 /* "[addr]:65535" */
#define PRINT_PREFIX_LEN   50 /* "addr/128" */

/* Where a server listens. */
struct listen_at {
	bool off;
	struct addr addr;
	uint16_t port; /* host order */
};

/* v4-mapped; `v4` is in network order. */
struct addr address__from_v4(uint32_t v4);
/* Of an IPv4 or IPv6 socket; all zero for another family. */
struct addr address__from_sockaddr(const struct sockaddr *from);
/* What a limit counts as one source: an IPv6 address stands for its /64. */
struct addr address__source(const struct addr *addr);

/* Whether it is v4-mapped. */
bool print_is_v4(const struct addr *addr);
/* 127.0.0.0/8, or ::1. */
bool print_is_loopback(const struct addr *addr);
char *print_addr(char buf[PRINT_ADDR_LEN], const struct addr *addr);
/* "192.0.2.1:80", "[2001:db8::1]:80". port in host order. */
char *print_endpoint(char buf[PRINT_ENDPOINT_LEN], const struct addr *addr, uint16_t port);
/* "192.0.2.0/24"; a whole address without its length. */
char *print_prefix(char buf[PRINT_PREFIX_LEN], const struct prefix *prefix);
/* As address__source(): an IPv4 address, or an IPv6 /64. */
char *print_source(char buf[PRINT_PREFIX_LEN], const struct addr *addr);

#endif
