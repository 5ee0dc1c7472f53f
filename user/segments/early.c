// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash table by flow; and a list of all pieces, the oldest first.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/early.h"
#include "segments/exchange_parts.h"

#define BUCKETS 1024  /* a power of two */
#define NEAR	65536 /* bytes: more than a client may send before it is answered */

struct kept {
	struct kept *next; /* of the same hash, the oldest first */
	struct kept *older, *newer;
	struct http_piece piece;
};

struct early {
	struct kept *buckets[BUCKETS];
	struct kept *oldest, *newest;
	unsigned count;
};

struct early *early__new(void)
{
	return calloc(1, sizeof(struct early));
}

static struct kept **bucket_of(struct early *early, const struct flow *flow)
{
	return &early->buckets[exchange__hash(flow) & (BUCKETS - 1)];
}

static bool is_of(const struct kept *kept, const struct flow *flow)
{
	return !memcmp(&kept->piece.event.flow, flow, sizeof(*flow));
}

static void append(struct early *early, struct kept *kept)
{
	struct kept **at = bucket_of(early, &kept->piece.event.flow);

	while (*at)
		at = &(*at)->next;
	*at = kept;
	kept->older = early->newest;
	*(early->newest ? &early->newest->newer : &early->oldest) = kept;
	early->newest = kept;
	early->count++;
}

/* Takes out what `at` leads to. */
static struct kept *detach(struct early *early, struct kept **at)
{
	struct kept *kept = *at;

	*at = kept->next;
	*(kept->older ? &kept->older->newer : &early->oldest) = kept->newer;
	*(kept->newer ? &kept->newer->older : &early->newest) = kept->older;
	early->count--;
	return kept;
}

static void forget(struct early *early, struct kept **at)
{
	struct kept *kept = detach(early, at);

	explicit_bzero(kept, sizeof(*kept));
	free(kept);
}

static void forget_oldest(struct early *early)
{
	struct kept **at = bucket_of(early, &early->oldest->piece.event.flow);

	while (*at != early->oldest)
		at = &(*at)->next;
	forget(early, at);
}

bool early__is_near(const struct http_piece *a, const struct http_piece *b)
{
	return (int32_t)(a->seq - b->seq) < NEAR && (int32_t)(b->seq - a->seq) < NEAR;
}

static void forget_others(struct early *early, const struct http_piece *piece)
{
	struct kept **at = bucket_of(early, &piece->event.flow);

	while (*at) {
		if (is_of(*at, &piece->event.flow) && !early__is_near(&(*at)->piece, piece))
			forget(early, at);
		else
			at = &(*at)->next;
	}
}

unsigned early__keep(struct early *early, const struct http_piece *piece)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	unsigned lost = 0;

	if (!kept)
		return 1;
	kept->piece = *piece;
	forget_others(early, piece);
	if (early->count == EARLY_MAX) {
		forget_oldest(early);
		lost = 1;
	}
	append(early, kept);
	return lost;
}

bool early__has(const struct early *early, const struct flow *flow)
{
	const struct kept *kept = early->buckets[exchange__hash(flow) & (BUCKETS - 1)];

	while (kept && !is_of(kept, flow))
		kept = kept->next;
	return kept;
}

void early__take(struct early *early, const struct flow *flow,
		 void (*each)(void *context, const struct http_piece *piece), void *context)
{
	struct kept **at = bucket_of(early, flow);

	while (*at) {
		if (!is_of(*at, flow)) {
			at = &(*at)->next;
			continue;
		}
		each(context, &(*at)->piece);
		forget(early, at);
	}
}

void early__free(struct early *early)
{
	if (!early)
		return;
	while (early->oldest)
		forget_oldest(early);
	free(early);
}
