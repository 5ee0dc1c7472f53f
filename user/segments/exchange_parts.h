/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One connection of exchange.h, between exchange.c, which finds it, and exchange_connection.c, which reads it.
 */
#ifndef SYNWARDEN_SEGMENTS_EXCHANGE_PARTS_H
#define SYNWARDEN_SEGMENTS_EXCHANGE_PARTS_H

#include "segments/exchange.h"

#define HELD_MAX 32 /* pieces of one direction that wait for one that is missing */

struct held_piece {
	struct held_piece *next;
	struct http_piece piece;
};

/* What one side sends. */
struct exchange_side {
	struct exchange *exchange;
	struct http_reader *reader;
	struct held_piece *held; /* in the order of sequence numbers */
	unsigned held_count;
	uint32_t next; /* sequence number behind what was read */
	bool has_next;
	uint64_t begun_ns;	      /* when the message began that is being read */
	uint64_t message_at;	      /* position of the first byte of the message whose head came last */
	struct http_request *request; /* the one that is being sent, or answered, by this side; NULL: none */
};

struct exchange {
	struct exchange *next; /* of the same hash */
	const struct http_events *events;
	struct http_about about;
	struct exchange_side sides[HTTP_DIRECTIONS];
	uint8_t kind; /* enum http_kind; HTTP_KIND_1 once the head of a message was read */
	bool fresh;
	bool has_role;
	uint64_t now;
	struct http_request *requests; /* those without a whole answer, the oldest first */
	uint8_t *opening; /* the first bytes of the side that sent first, until it is known what they are */
	size_t opening_len;
	uint8_t opening_direction;
};

uint32_t exchange__hash(const struct flow *flow);
/* -1: no memory. */
int exchange__init(struct exchange *exchange, const struct http_events *events, const struct http_piece *first);
void exchange__read(struct exchange *exchange, const struct http_piece *piece);
void exchange__end(struct exchange *exchange, const struct life *life);
void exchange__clear(struct exchange *exchange);

#endif
