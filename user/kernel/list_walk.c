// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks of a set's maps, which other processes change meanwhile.
 *
 * The kernel walks a hash by its buckets, and a trie from the key that it gave last. Where that key is gone, a trie
 * starts over, and before "bpf: Fix exact match conditions in trie_get_next_key()" (Linux 6.13) skips entries. So
 * whatever a trie gave must still be there when the next part of it was read, or the walk is worth nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/list_filter.h"
#include "text/log.h"

#define READ_TRIES 100 /* the kernel gives up where what it reads goes away */
#define WALK_TRIES 100

/* Hosts have keys of their own form. */
static void widen(struct list_batch *batch, const struct addr *keys)
{
	for (__u32 i = 0; i < batch->count; i++) {
		batch->keys[i].prefixlen = 128;
		memcpy(batch->keys[i].words, keys[i].words, sizeof(keys[i].words));
	}
}

static int read_map(struct list_batch *batch, int map, void *keys, struct list_place *place)
{
	const struct prefix from = place->key;
	int err, tries = 0;

	do {
		batch->count = LIST_BATCH;
		err = bpf_map_lookup_batch(map, place->started ? (void *)&from : NULL, &place->key, keys,
					   batch->entries, &batch->count, NULL);
	} while (err && errno == EINTR && ++tries < READ_TRIES);
	batch->last = err && errno == ENOENT;
	return err && !batch->last ? -1 : 0;
}

bool list_batch__is_whole(const struct list_batch *batch, __u32 i)
{
	return batch->entries[i].prefixlen == batch->keys[i].prefixlen;
}

/* Whether all of the batch is there, and what it was read from. */
static bool is_there(const struct list_batch *batch, const struct list_set *set, enum list list,
		     const struct list_place *from)
{
	struct list_entry entry;

	if (from->checks && !list_set__find(set, list, &from->key, &entry))
		return false;
	for (__u32 i = 0; i < batch->count; i++)
		if (list_batch__is_whole(batch, i) && !list_set__find(set, list, &batch->keys[i], &entry))
			return false;
	return true;
}

int list_batch__read(struct list_batch *batch, const struct list_set *set, enum list list, enum list_kind kind,
		     struct list_place *place)
{
	const struct list_place from = *place;
	struct addr addrs[LIST_BATCH];

	if (kind == LIST_HOSTS) {
		if (read_map(batch, set->maps[list][kind], addrs, place))
			return -1;
		widen(batch, addrs);
	} else {
		if (read_map(batch, set->maps[list][kind], batch->keys, place))
			return -1;
		if (!is_there(batch, set, list, &from)) {
			errno = EAGAIN;
			return -1;
		}
		place->checks = batch->count && list_batch__is_whole(batch, batch->count - 1);
	}
	place->started = true;
	return 0;
}

/* Entries of one trie, until it is read to its end. */
struct gathered {
	struct range {
		struct prefix prefix;
		struct list_entry entry;
	} * all;
	size_t count, room;
};

static int gather_batch(struct gathered *gathered, const struct list_batch *batch)
{
	for (__u32 i = 0; i < batch->count; i++) {
		if (!list_batch__is_whole(batch, i))
			continue;
		if (gathered->count == gathered->room) {
			size_t room = gathered->room * 2 ?: LIST_BATCH;
			struct range *more = reallocarray(gathered->all, room, sizeof(*more));

			if (!more)
				return -1;
			gathered->all = more;
			gathered->room = room;
		}
		gathered->all[gathered->count++] = (struct range){batch->keys[i], batch->entries[i]};
	}
	return 0;
}

static int gather(const struct list_set *set, enum list list, struct list_batch *batch, struct gathered *gathered)
{
	struct list_place place = {};

	gathered->count = 0;
	do
		if (list_batch__read(batch, set, list, LIST_RANGES, &place) || gather_batch(gathered, batch))
			return -1;
	while (!batch->last);
	return 0;
}

static int walk_ranges(const struct list_set *set, enum list list, struct list_batch *batch, lists_found found,
		       void *context)
{
	struct gathered gathered = {};
	int ret, tries = 0;

	do
		ret = gather(set, list, batch, &gathered);
	while (ret && errno == EAGAIN && ++tries < WALK_TRIES);
	for (size_t i = 0; !ret && i < gathered.count; i++)
		found(context, &gathered.all[i].prefix, &gathered.all[i].entry);
	free(gathered.all);
	return ret;
}

static int walk_hosts(const struct list_set *set, enum list list, struct list_batch *batch, lists_found found,
		      void *context)
{
	struct list_place place = {};

	do {
		if (list_batch__read(batch, set, list, LIST_HOSTS, &place))
			return -1;
		for (__u32 i = 0; i < batch->count; i++)
			if (list_batch__is_whole(batch, i))
				found(context, &batch->keys[i], &batch->entries[i]);
	} while (!batch->last);
	return 0;
}

int list_set__walk(const struct list_set *set, enum list list, lists_found found, void *context)
{
	struct list_batch *batch = malloc(sizeof(*batch));
	int ret = batch ? 0 : -1;

	if (!ret && set->maps[list][LIST_HOSTS] >= 0)
		ret = walk_hosts(set, list, batch, found, context);
	if (!ret && set->maps[list][LIST_RANGES] >= 0)
		ret = walk_ranges(set, list, batch, found, context);
	if (ret)
		log_error("cannot read the list: %s", strerror(errno));
	free(batch);
	return ret;
}
