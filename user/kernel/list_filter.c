// SPDX-License-Identifier: GPL-2.0-only
/*
 * A prefix -> the words that must have its bits: at most 256 of them, and behind them a bit for each /16.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/list_filter.h"

#define V4_BITS 96

static void set_bits(const struct list_set *set, unsigned copy, uint32_t at, uint64_t bits)
{
	uint64_t *word = &set->filter[copy * list_copy_words(set->words) + at];

	if (at >= list_copy_words(set->words))
		return;
	if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bits) != bits)
		__atomic_fetch_or(word, bits, __ATOMIC_RELAXED);
}

/* What is being added. */
struct adding {
	const struct list_set *set;
	unsigned copy;
	enum list list;
	enum list_kind kind;
};

static void add_key(const struct adding *a, uint64_t key)
{
	uint64_t hash = list_hash(key, a->set->control->seed);

	set_bits(a->set, a->copy, list_word_at(hash, a->set->words),
		 list_bit(hash) | list_bits_of(list_bits(hash), a->kind, a->list));
}

/* Neighbours from `key` on. */
static void add_keys(const struct adding *a, uint64_t key, unsigned shift)
{
	for (uint64_t i = 0; i < 1ULL << shift; i++)
		add_key(a, key + i);
}

static void add_broad(const struct adding *a, uint32_t broad, unsigned shift)
{
	for (uint32_t i = broad; i < broad + (1U << shift); i++)
		set_bits(a->set, a->copy, list_broad_at(i, a->set->words), 1ULL << list_broad_shift(i, a->list));
}

static enum list_level add_v4(const struct adding *a, uint32_t first, unsigned len)
{
	if (len >= 16) {
		add_keys(a, list_fine_v4(first), len >= 24 ? 0 : 24 - len);
		return LIST_FINE;
	}
	add_broad(a, list_broad(1, first), 16 - len);
	return LIST_BROAD;
}

static enum list_level add_v6(const struct adding *a, uint32_t first, uint32_t second, unsigned len)
{
	if (len >= 48) {
		add_key(a, list_fine_v6(first, second));
		return LIST_FINE;
	}
	if (len >= 24) {
		add_keys(a, list_mid_v6(first), len >= 32 ? 0 : 32 - len);
		return LIST_MID;
	}
	add_broad(a, list_broad(0, first), len >= 16 ? 0 : 16 - len);
	return LIST_BROAD;
}

void list_filter__add(const struct list_set *set, unsigned copy, enum list list, const struct prefix *prefix)
{
	const struct adding adding = {set, copy, list, prefix->prefixlen == 128 ? LIST_HOSTS : LIST_RANGES};
	const struct prefix whole = prefixes__wider(prefix, prefix->prefixlen); /* a fleet's may have bits behind it */
	uint32_t words[4], *levels = &set->control->levels[copy];
	enum list_level level;

	for (int i = 0; i < 4; i++)
		words[i] = ntohl(whole.words[i]);
	if (prefix->prefixlen >= V4_BITS && !words[0] && !words[1] && words[2] == 0xffff)
		level = add_v4(&adding, words[3], prefix->prefixlen - V4_BITS);
	else
		level = add_v6(&adding, words[0], words[1], prefix->prefixlen);
	if (!(__atomic_load_n(levels, __ATOMIC_RELAXED) & level))
		__atomic_fetch_or(levels, level, __ATOMIC_RELEASE);
}

/* Where it is clear already, its pages are not touched. */
void list_filter__clear(const struct list_set *set, unsigned copy)
{
	uint32_t words = list_copy_words(set->words);

	if (__atomic_exchange_n(&set->control->levels[copy], 0, __ATOMIC_ACQ_REL))
		memset(set->filter + copy * words, 0, words * sizeof(*set->filter));
}

/* Hosts have keys of their own form. */
static void widen(struct list_batch *batch, const struct addr *keys)
{
	for (__u32 i = 0; i < batch->count; i++) {
		batch->keys[i].prefixlen = 128;
		memcpy(batch->keys[i].words, keys[i].words, sizeof(keys[i].words));
	}
}

static int read_batch(int map, const void *from, void *token, void *keys, struct list_batch *batch)
{
	int err;

	do {
		batch->count = LIST_BATCH;
		err = bpf_map_lookup_batch(map, (void *)from, token, keys, batch->entries, &batch->count, NULL);
	} while (err && errno == EINTR);
	return err;
}

int list_batch__read(struct list_batch *batch, const struct list_set *set, enum list list, enum list_kind kind,
		     struct prefix *token, bool first)
{
	struct addr addrs[LIST_BATCH];
	void *keys = kind == LIST_HOSTS ? (void *)addrs : batch->keys;
	struct prefix from = *token;

	batch->last = false;
	if (read_batch(set->maps[list][kind], first ? NULL : &from, token, keys, batch)) {
		if (errno != ENOENT)
			return -1;
		batch->last = true;
	}
	if (kind == LIST_HOSTS)
		widen(batch, addrs);
	return 0;
}
