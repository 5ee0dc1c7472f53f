// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections by their addresses. Data that came to a listener, with the last ACK of the handshake, is kept until its
 * connection sends something, or ends.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/exchange_parts.h"
#include "text/log.h"

#define BUCKETS	  16384 /* a power of two */
#define MOST	  65536 /* connections; another one replaces one of them */
#define EARLY_MAX 64	/* pieces that came to a listener; a later one replaces the oldest */

struct exchanges {
	struct http_events events;
	struct exchange *buckets[BUCKETS];
	unsigned count, victim;
	struct http_piece early[EARLY_MAX];
	unsigned early_next;
	uint64_t lost;
};

struct exchanges *exchange__new(const struct http_events *events)
{
	struct exchanges *all = calloc(1, sizeof(*all));

	if (!all) {
		log_error("out of memory");
		return NULL;
	}
	all->events = *events;
	return all;
}

/* FNV-1a */
static struct exchange **bucket_of(struct exchanges *all, const struct flow *flow)
{
	const unsigned char *bytes = (const unsigned char *)flow;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*flow); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return &all->buckets[(hash ^ hash >> 32) & (BUCKETS - 1)];
}

static struct exchange **find(struct exchanges *all, const struct flow *flow)
{
	struct exchange **at = bucket_of(all, flow);

	while (*at && memcmp(&(*at)->about.event.flow, flow, sizeof(*flow)))
		at = &(*at)->next;
	return at;
}

static void drop(struct exchanges *all, struct exchange **at)
{
	struct exchange *exchange = *at;

	*at = exchange->next;
	exchange__clear(exchange);
	free(exchange);
	all->count--;
}

static void make_room(struct exchanges *all)
{
	if (all->count < MOST)
		return;
	while (!all->buckets[all->victim])
		all->victim = (all->victim + 1) & (BUCKETS - 1);
	drop(all, &all->buckets[all->victim]);
	all->victim = (all->victim + 1) & (BUCKETS - 1);
	all->lost++;
}

/* Reads what came to the listener for this connection, in the order in which it came. */
static void read_early(struct exchanges *all, struct exchange *exchange)
{
	struct http_piece *piece;

	for (unsigned i = 0; i < EARLY_MAX; i++) {
		piece = &all->early[(all->early_next + i) % EARLY_MAX];
		if (!piece->event.time_ns ||
		    memcmp(&piece->event.flow, &exchange->about.event.flow, sizeof(struct flow)))
			continue;
		exchange__read(exchange, piece);
		explicit_bzero(piece, sizeof(*piece));
	}
}

static bool has_early(const struct exchanges *all, const struct flow *flow)
{
	for (unsigned i = 0; i < EARLY_MAX; i++)
		if (all->early[i].event.time_ns && !memcmp(&all->early[i].event.flow, flow, sizeof(*flow)))
			return true;
	return false;
}

static struct exchange *add(struct exchanges *all, const struct http_piece *first)
{
	struct exchange **at, *exchange;

	make_room(all);
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange || exchange__init(exchange, &all->events, first)) {
		free(exchange);
		all->lost++;
		return NULL;
	}
	at = bucket_of(all, &first->event.flow);
	exchange->next = *at;
	*at = exchange;
	all->count++;
	if (has_early(all, &first->event.flow)) {
		exchange->fresh = true;
		read_early(all, exchange);
	}
	return exchange;
}

void exchange__piece(struct exchanges *all, const struct http_piece *piece)
{
	struct exchange **at, *exchange;

	if (!piece->event.cookie) {
		all->early[all->early_next++ % EARLY_MAX] = *piece;
		return;
	}
	at = find(all, &piece->event.flow);
	if (*at && (*at)->about.event.cookie != piece->event.cookie)
		drop(all, at); /* its end was lost */
	exchange = *find(all, &piece->event.flow);
	if (!exchange)
		exchange = piece->len ? add(all, piece) : NULL;
	if (exchange)
		exchange__read(exchange, piece);
}

/* Whether the connection began after the last that was seen of the exchange. */
static bool began_after(const struct life *life, const struct exchange *exchange)
{
	return life->age_ns != DURATION_UNKNOWN && life->event.time_ns - life->age_ns > exchange->now;
}

/* The exchange of the connection that has ended, where it has one. An end may come late, where the peer's FIN was not
 * seen: its ports may have another connection then. */
static struct exchange **find_ended(struct exchanges *all, const struct life *life)
{
	struct exchange **at = find(all, &life->event.flow);
	struct http_piece first = {.event = life->event, .direction = HTTP_IN, .fresh = 1};

	if (*at && (*at)->about.event.cookie != life->event.cookie) {
		if (!began_after(life, *at))
			return NULL;
		drop(all, at); /* its end was lost */
		at = find(all, &life->event.flow);
	}
	if (!*at && has_early(all, &life->event.flow) && add(all, &first))
		at = find(all, &life->event.flow);
	return *at ? at : NULL;
}

void exchange__closed(struct exchanges *all, const struct life *life)
{
	struct exchange **at = find_ended(all, life);

	if (!at)
		return;
	exchange__end(*at, life);
	drop(all, at);
}

uint64_t exchange__lost(const struct exchanges *all)
{
	return all->lost;
}

void exchange__free(struct exchanges *all)
{
	if (!all)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (all->buckets[i])
			drop(all, &all->buckets[i]);
	explicit_bzero(all->early, sizeof(all->early));
	free(all);
}
