/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is connected to the endpoint, and who has to go where it gets crowded: of the source with the most connections,
 * the one that has kept the server waiting for longest, for a request or for its answer to be read. So neither idle
 * clients nor slow ones can lock others out.
 */
#ifndef SYNWARDEN_GUESTS_H
#define SYNWARDEN_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "types.h"

#define GUESTS_MAX   48 /* connections at once */
#define GUESTS_CROWD 40 /* from which on each that comes makes another one go; the rest is for those that leave */

struct guest {
	int fd;		   /* -1: nobody */
	struct addr from;  /* an address, or an IPv6 /64 */
	uint64_t since_ns; /* CLOCK_MONOTONIC from which on the server waits for it */
	bool reads;	   /* its answer; else it has not asked yet */
	bool follows;	   /* a stream: never sent away, as their number is bounded elsewhere */
	bool leaves;	   /* has been sent away */
	size_t held;	   /* bytes of a page that waits for it */
};

struct guests {
	struct guest all[GUESTS_MAX];
	unsigned present; /* without those that leave */
};

void guests__init(struct guests *guests);
/* NULL where more come than there may be. */
struct guest *guests__came(struct guests *guests, int fd, const struct sockaddr *from);
/* Accepts NULL. */
void guests__went(struct guests *guests, struct guest *guest);
/* It has made its request, and reads the answer; or it has read it. */
void guests__moved(struct guest *guest, bool reads);
/* Sends away as many as hold `bytes` of pages, those counted that leave already. */
void guests__release(struct guests *guests, size_t bytes);

#endif
