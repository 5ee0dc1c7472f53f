// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections by their addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/early.h"
#include "segments/exchange_parts.h"
#include "text/log.h"

#define BUCKETS 16384 /* a power of two */
#define MOST	65536 /* connections; another one replaces one of them */

struct exchanges {
	struct http_events events;
	struct exchange *buckets[BUCKETS];
	unsigned count, victim;
	struct early *early;
	uint64_t lost;
};

struct exchanges *exchange__new(const struct http_events *events)
{
	struct exchanges *all = calloc(1, sizeof(*all));

	if (all)
		all->early = early__new();
	if (!all || !all->early) {
		log_error("out of memory");
		free(all);
		return NULL;
	}
	all->events = *events;
	return all;
}

/* FNV-1a */
uint32_t exchange__hash(const struct flow *flow)
{
	const unsigned char *bytes = (const unsigned char *)flow;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*flow); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static struct exchange **bucket_of(struct exchanges *all, const struct flow *flow)
{
	return &all->buckets[exchange__hash(flow) & (BUCKETS - 1)];
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

/* What came to the listener, and the piece that came first to the connection itself. */
struct early_reading {
	struct exchange *exchange;
	const struct http_piece *first;
};

/* A connection on which nothing was received before its first piece has at most a copy of that in what came early; the
 * rest is of a connection that did not come about. */
static void read_early(void *context, const struct http_piece *piece)
{
	const struct early_reading *reading = context;
	const struct http_piece *first = reading->first;

	if (first->fresh && (first->direction == HTTP_OUT || !early__is_near(piece, first)))
		return;
	reading->exchange->fresh = true;
	reading->exchange->opening_direction = HTTP_IN;
	exchange__read(reading->exchange, piece);
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
	early__take(all->early, &first->event.flow, read_early, &(struct early_reading){exchange, first});
	return exchange;
}

void exchange__piece(struct exchanges *all, const struct http_piece *piece)
{
	struct exchange **at, *exchange;

	if (!piece->event.cookie) {
		all->lost += early__keep(all->early, piece);
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
	struct http_piece first = {.event = life->event, .direction = HTTP_IN};

	if (*at && (*at)->about.event.cookie != life->event.cookie) {
		if (!began_after(life, *at))
			return NULL;
		drop(all, at); /* its end was lost */
		at = find(all, &life->event.flow);
	}
	if (!*at && early__has(all->early, &life->event.flow) && add(all, &first))
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
	early__free(all->early);
	free(all);
}
