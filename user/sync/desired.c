// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything is sorted by prefix: joining and comparing take one pass.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/desired.h"
#include "system/clock.h"

#define ROOM_FIRST  256
#define SAME_END_NS NS_PER_S /* an end that moves by less is not written */

int desired__add(struct desired *desired, const struct wanted *wanted)
{
	if (desired->count == desired->room) {
		size_t room = desired->room ? desired->room + desired->room / 2 : ROOM_FIRST;
		struct wanted *grown = reallocarray(desired->all, room, sizeof(*grown));

		if (!grown)
			return -1;
		desired->all = grown;
		desired->room = room;
	}
	desired->all[desired->count++] = *wanted;
	return 0;
}

/* 0, none, is the latest end. */
static int later_first(uint64_t a, uint64_t b)
{
	if (a == b)
		return 0;
	return !a || (b && a > b) ? -1 : 1;
}

int desired__compare(const struct prefix *a, const struct prefix *b)
{
	int order = memcmp(a->words, b->words, sizeof(a->words));

	if (order)
		return order < 0 ? -1 : 1;
	return (a->prefixlen > b->prefixlen) - (a->prefixlen < b->prefixlen);
}

static int by_prefix(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;

	return desired__compare(&a->entry.prefix, &b->entry.prefix)
		       ?: later_first(a->entry.until_ns, b->entry.until_ns)
		       ?: (a->rank > b->rank) - (a->rank < b->rank);
}

static int by_worth(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->is_held != b->is_held)
		return a->is_held ? -1 : 1;
	return later_first(a->entry.until_ns, b->entry.until_ns)
		       ?: desired__compare(&a->entry.prefix, &b->entry.prefix);
}

void desired__join(struct desired *desired)
{
	size_t last = 0;

	if (!desired->count)
		return;
	qsort(desired->all, desired->count, sizeof(*desired->all), by_prefix);
	for (size_t i = 1; i < desired->count; i++) {
		const struct wanted *next = &desired->all[i];

		if (desired__compare(&desired->all[last].entry.prefix, &next->entry.prefix))
			desired->all[++last] = *next;
		else if (next->rank < desired->all[last].rank)
			desired->all[last].rank = next->rank;
	}
	desired->count = last + 1;
}

static bool is_range(const struct wanted *wanted)
{
	return wanted->entry.prefix.prefixlen != 128;
}

static bool has_room(const struct desired *desired, const struct desired_room *room)
{
	size_t ranges = 0;

	for (size_t i = 0; i < desired->count; i++)
		ranges += is_range(&desired->all[i]);
	return desired->count <= room->entries && ranges <= room->ranges;
}

static void mark_held(struct desired *desired, const struct desired *held)
{
	size_t j = 0;

	for (size_t i = 0; i < desired->count; i++) {
		const struct prefix *prefix = &desired->all[i].entry.prefix;

		while (j < held->count && desired__compare(&held->all[j].entry.prefix, prefix) < 0)
			j++;
		desired->all[i].is_held = j < held->count && !desired__compare(&held->all[j].entry.prefix, prefix);
	}
}

void desired__fit(struct desired *desired, const struct desired *held, const struct desired_room *room,
		  uint64_t left_out[])
{
	size_t kept = 0, ranges = 0;

	if (has_room(desired, room))
		return;
	mark_held(desired, held);
	qsort(desired->all, desired->count, sizeof(*desired->all), by_worth);
	for (size_t i = 0; i < desired->count; i++) {
		const struct wanted *wanted = &desired->all[i];

		if (kept == room->entries || (is_range(wanted) && ranges == room->ranges)) {
			left_out[wanted->source]++;
			continue;
		}
		ranges += is_range(wanted);
		desired->all[kept++] = *wanted;
	}
	desired->count = kept;
	qsort(desired->all, desired->count, sizeof(*desired->all), by_prefix);
}

static bool is_same(const struct fleet_entry *a, const struct fleet_entry *b)
{
	uint64_t apart = a->until_ns > b->until_ns ? a->until_ns - b->until_ns : b->until_ns - a->until_ns;

	return a->origin == b->origin && !a->until_ns == !b->until_ns && apart < SAME_END_NS;
}

int desired__order(const struct desired *held, size_t i, const struct desired *desired, size_t j)
{
	if (i == held->count)
		return j == desired->count ? DESIRED_END : 1;
	if (j == desired->count)
		return -1;
	return desired__compare(&held->all[i].entry.prefix, &desired->all[j].entry.prefix);
}

int steps__find(struct steps *steps, const struct desired *held, struct desired *desired)
{
	size_t i = 0, j = 0;

	*steps = (struct steps){
		.put = calloc(desired->count + 1, sizeof(*steps->put)),
		.remove = calloc(held->count + 1, sizeof(*steps->remove)),
	};
	if (!steps->put || !steps->remove)
		return -1;
	for (int order; (order = desired__order(held, i, desired, j)) != DESIRED_END;
	     i += order <= 0, j += order >= 0) {
		if (order < 0)
			steps->remove[steps->remove_count++] = held->all[i].entry.prefix;
		else if (order > 0 || !is_same(&held->all[i].entry, &desired->all[j].entry))
			steps->put[steps->put_count++] = desired->all[j].entry;
		else
			desired->all[j].entry.until_ns = held->all[i].entry.until_ns; /* as the maps have it */
	}
	return 0;
}

void steps__free(struct steps *steps)
{
	free(steps->put);
	free(steps->remove);
	*steps = (struct steps){};
}

void desired__free(struct desired *desired)
{
	free(desired->all);
	*desired = (struct desired){};
}
