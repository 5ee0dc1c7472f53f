/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A name -> addresses, by the services of nsswitch.conf one by one, through the modules that every program uses.
 */
#ifndef SYNWARDEN_FETCH_LOOKUP_H
#define SYNWARDEN_FETCH_LOOKUP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "fetch/dns_watch.h"
#include "fetch/nsswitch.h"

#define LOOKUP_ADDRESSES 16
#define LOOKUP_TEXT	 256

enum lookup_result {
	LOOKUP_NOT_ASKED,
	LOOKUP_FOUND,
	LOOKUP_NOT_KNOWN,
	LOOKUP_NO_ANSWER, /* or an answer that is none: the name server failed */
	LOOKUP_FAILED,
	LOOKUP_WAITING, /* asked when the time was over */
};

struct lookup {
	bool is_literal; /* the host is an address */
	struct nsswitch services;
	struct {
		enum lookup_result result;
		uint64_t took_ns;
		char why[LOOKUP_TEXT]; /* of LOOKUP_FAILED */
	} results[NSSWITCH_SERVICES];
	uint64_t took_ns; /* of all services */
	struct sockaddr_storage addresses[LOOKUP_ADDRESSES];
	unsigned count;
	struct dns_answer answer;	/* of the name server, where it was seen */
	char name_servers[LOOKUP_TEXT]; /* those of resolv.conf: one of them answers where none was seen to */
};

struct lookup_question {
	const char *host;
	uint16_t port;
	int family; /* AF_UNSPEC: any */
	uint64_t timeout_ns;
};

/* NULL after a message; a name that is not found is no failure. Free it with lookup__free(). */
struct lookup *lookup__find(const struct lookup_question *question);

/* The service that found the name, or was asked last. */
unsigned lookup__last(const struct lookup *lookup);

/* NULL is accepted. */
void lookup__free(struct lookup *lookup);

#endif
