// SPDX-License-Identifier: GPL-2.0-only
/*
 * An array sorted by id: a delta is merged in one pass, which costs less than what it brings is worth in a table.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/said.h"
#include "system/clock.h"

#define ROOM_FIRST  256
#define SAME_END_NS (2 * NS_PER_S)

int said__add(struct said *records, const struct record *record)
{
	if (records->count == records->room) {
		size_t room = records->room ? records->room + records->room / 2 : ROOM_FIRST;
		struct record *grown = reallocarray(records->all, room, sizeof(*grown));

		if (!grown)
			return -1;
		records->all = grown;
		records->room = room;
	}
	records->all[records->count++] = *record;
	return 0;
}

static int by_id(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->ends_ns < b->ends_ns ? -1 : a->ends_ns > b->ends_ns;
}

void said__sort(struct said *records)
{
	size_t kept = 0;

	if (!records->count)
		return;
	qsort(records->all, records->count, sizeof(*records->all), by_id);
	for (size_t i = 1; i < records->count; i++) {
		if (records->all[i].id != records->all[kept].id)
			kept++;
		records->all[kept] = records->all[i];
	}
	records->count = kept + 1;
}

static struct record renewed(const struct record *before, const struct record *fresh)
{
	struct record record = *fresh;

	if (before->ends_ns > fresh->ends_ns && before->ends_ns - fresh->ends_ns < SAME_END_NS)
		record.ends_ns = before->ends_ns;
	return record;
}

int said__merge(struct said *known, const struct said *fresh, size_t *added)
{
	struct said both = {.room = known->count + fresh->count};
	size_t i = 0, j = 0;

	*added = 0;
	if (!fresh->count)
		return 0;
	both.all = calloc(both.room, sizeof(*both.all));
	if (!both.all)
		return -1;
	while (i < known->count || j < fresh->count) {
		if (j == fresh->count || (i < known->count && known->all[i].id < fresh->all[j].id)) {
			both.all[both.count++] = known->all[i++];
		} else if (i < known->count && known->all[i].id == fresh->all[j].id) {
			both.all[both.count++] = renewed(&known->all[i++], &fresh->all[j++]);
		} else {
			both.all[both.count++] = fresh->all[j++];
			++*added;
		}
	}
	said__free(known);
	*known = both;
	return 0;
}

size_t said__remove(struct said *known, const uint64_t *ids, size_t count)
{
	size_t kept = 0, before = known->count, j = 0;

	for (size_t i = 0; i < known->count; i++) {
		while (j < count && ids[j] < known->all[i].id)
			j++;
		if (j == count || ids[j] != known->all[i].id)
			known->all[kept++] = known->all[i];
	}
	known->count = kept;
	return before - kept;
}

static int has_ended(const struct record *record, uint64_t now_ns)
{
	return record->ends_ns && record->ends_ns <= now_ns;
}

size_t said__expire(struct said *known, uint64_t now_ns)
{
	size_t kept = 0, before = known->count;

	for (size_t i = 0; i < known->count; i++)
		if (!has_ended(&known->all[i], now_ns))
			known->all[kept++] = known->all[i];
	known->count = kept;
	return before - kept;
}

size_t said__missing(const struct said *known, const struct said *full, uint64_t now_ns)
{
	size_t missing = 0, j = 0;

	for (size_t i = 0; i < known->count; i++) {
		while (j < full->count && full->all[j].id < known->all[i].id)
			j++;
		if (!has_ended(&known->all[i], now_ns))
			missing += j == full->count || full->all[j].id != known->all[i].id;
	}
	return missing;
}

size_t said__lost(const struct said *known, const struct said *full)
{
	size_t lost = 0, i = 0;

	for (size_t j = 0; j < full->count && i < known->count; j++) {
		while (i < known->count && known->all[i].id < full->all[j].id)
			i++;
		lost += i < known->count && known->all[i].id != full->all[j].id;
	}
	return lost;
}

void said__free(struct said *records)
{
	free(records->all);
	*records = (struct said){};
}
