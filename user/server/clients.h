/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clients of the endpoint, and which of them has to go where it gets crowded: of the origin with the most
 * connections, the one that the server has waited for since the earliest, for a request or for its answer to be read.
 * So neither idle clients nor slow ones can lock others out. Places of a stream are shared in the same way.
 */
#ifndef SYNWARDEN_SERVER_CLIENTS_H
#define SYNWARDEN_SERVER_CLIENTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/origin.h"

#define CLIENTS_MAX   48 /* connections at once */
#define CLIENTS_CROWD 40 /* from which on each new one makes another one go; the rest is for those that leave */

struct MHD_Connection;

struct client {
	struct MHD_Connection *connection;
	int fd; /* -1: none */
	struct origin from;
	uint64_t since_ns;   /* CLOCK_MONOTONIC from which on the server waits for it */
	bool reads;	     /* its answer; else it has not asked yet */
	const void *follows; /* the stream that it has a place of; NULL: none */
	bool leaves;	     /* has been sent away */
	atomic_bool delayed; /* its refusal waits for clients__resume() */
	size_t held;	     /* bytes of a page that waits for it */
};

struct clients {
	struct client all[CLIENTS_MAX];
	unsigned present; /* without those that leave */
};

void clients__init(struct clients *clients);
/* NULL where more come than there may be. */
struct client *clients__came(struct clients *clients, struct MHD_Connection *connection, int fd,
			     const struct sockaddr *from);
/* Accepts NULL. */
void clients__went(struct clients *clients, struct client *client);
/* It has made its request, and reads the answer; or it has read it. */
void clients__moved(struct client *client, bool reads);
/* Sends away as many as hold `bytes` of pages, those counted that leave already. */
void clients__release(struct clients *clients, size_t bytes);
/*
 * Gives it a place among the `most` followers of a stream. Where all are taken, the oldest follower of the origin with
 * the most places makes room, if that origin keeps as many as the new one then has. False: there is no place.
 */
bool clients__follow(struct clients *clients, struct client *client, const void *stream, unsigned most);
/* Lets those go on whose refusal was delayed. From any thread. */
void clients__resume(struct clients *clients);

#endif
