/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which name server answers, and what: the modules of glibc do not tell. Reads the UDP answers that come from port 53
 * to this network namespace while a name is looked up.
 */
#ifndef SYNWARDEN_FETCH_DNS_WATCH_H
#define SYNWARDEN_FETCH_DNS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

struct dns_answer {
	bool is_seen;
	struct addr server;
	unsigned code; /* RFC 1035, RCODE */
	bool has_ttl;
	uint32_t ttl; /* of the first address */
};

/* The file descriptor; -1: this process may not (CAP_NET_RAW). */
int dns_watch__open(void);

/* What was answered to questions for `host`, or for it below a search domain: the last answer with an address, else the
 * last one. */
void dns_watch__read(int fd, const char *host, struct dns_answer *answer);

/* Takes a DNS message; whether it is an answer about `host`. Sets code and ttl. */
bool dns_watch__parse(const uint8_t *message, size_t len, const char *host, struct dns_answer *answer);

/* "NXDOMAIN", "SERVFAIL"; "code 99" of one without a name here. */
const char *dns_watch__code(unsigned code);

#endif
