/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pieces of payload and ends of connections -> HTTP requests with their answers. Each end of a connection that is on
 * this machine is a connection of its own here.
 */
#ifndef SYNWARDEN_SEGMENTS_EXCHANGE_H
#define SYNWARDEN_SEGMENTS_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "segments/http_hello.h"
#include "segments/http_reader.h"
#include "types.h"

/* Of one connection, for all that is shown of it. */
struct http_about {
	struct event event; /* cookie, flow, owner; the time of what is shown */
	bool is_server;	    /* requests come in; otherwise they go out */
	bool at_least;	    /* requests before or among those that were seen may have been missed */
	uint32_t requests;  /* whose heads were seen */
	uint32_t answered;
	uint32_t pipelined; /* of them, sent before the former one was answered */
};

struct http_request {
	struct http_request *next;
	struct http_head head;
	uint32_t number; /* on its connection, from 1 on */
	bool pipelined;
	bool is_unseen;	      /* only its answer was seen */
	uint64_t begun_ns;    /* its first byte */
	uint64_t asked_ns;    /* its last byte that was seen before the answer began */
	uint64_t bytes;	      /* of the request, as far as it was sent when its answer ended */
	uint16_t status;      /* 0: no final answer has begun */
	uint64_t answered_ns; /* its answer's first byte, */
	uint64_t ended_ns;    /* and its last */
	uint64_t answer_bytes;
	enum http_known known; /* of ended_ns, and of answer_bytes */
	bool is_cut;	       /* the connection ended within the answer */
};

/* A connection that has ended. */
struct http_end {
	enum ending ending;
	enum closer closer;
	uint64_t age_ns; /* or DURATION_UNKNOWN */
	bool existed;	 /* age_ns is a lower bound */
};

struct http_events {
	/* An answer has ended, or the connection before its answer did: `end` is NULL in the first case. */
	void (*request)(void *context, const struct http_about *about, const struct http_request *request,
			const struct http_end *end);
	void (*tls)(void *context, const struct http_about *about, const struct http_hello *hello);
	void (*http2)(void *context, const struct http_about *about);
	void (*closed)(void *context, const struct http_about *about, const struct http_end *end);
	void *context;
};

struct exchanges;

/* NULL after a message. */
struct exchanges *exchange__new(const struct http_events *events);
/* In the order of time. */
void exchange__piece(struct exchanges *all, const struct http_piece *piece);
void exchange__closed(struct exchanges *all, const struct life *life);
/* Connections, and data that came to a listener, that were forgotten because there were too many, or no memory. */
uint64_t exchange__lost(const struct exchanges *all);
void exchange__free(struct exchanges *all);

#endif
