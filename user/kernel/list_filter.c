// SPDX-License-Identifier: GPL-2.0-only
/*
 * A prefix -> the words that must have its bits: at most 256 of them, and behind them a bit for each /16.
 */
#include <arpa/inet.h>
#include <string.h>

#include "config/prefixes.h"
#include "kernel/list_filter.h"

#define V4_BITS 96

static void set_bits(const struct list_set *set, unsigned copy, uint32_t at, uint64_t bits)
{
	uint32_t words = list_copy_words(set->words);
	uint64_t *word = &set->filter[copy * words + at];

	if (at >= words) /* whatever a map holds: other memory is not written */
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

void list_filter__add(const struct list_set *set, unsigned copy, enum list list, const struct prefix *key)
{
	const struct prefix masked = prefixes__wider(key, key->prefixlen), *prefix = &masked;
	const struct adding adding = {set, copy, list, prefix->prefixlen == 128 ? LIST_HOSTS : LIST_RANGES};
	uint32_t words[4], *levels = &set->control->levels[copy];
	enum list_level level;

	for (int i = 0; i < 4; i++)
		words[i] = ntohl(prefix->words[i]);
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
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* as in list_set__put() */
}
