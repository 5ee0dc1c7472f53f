/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow and the block list, this host's own and the fleet's: entries of both families, which may expire. Each set's
 * filter says of an address which of its maps may hold it; mostly none does.
 */
#ifndef SYNWARDEN_LISTS_H
#define SYNWARDEN_LISTS_H

#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"

/*
 * See include/lists.h. The sizes are set before load. A whole address is in `..._hosts`, or `..._ips`,
 * which the kernel's names have no room for.
 */
struct list_ranges {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct prefix);
	__type(value, struct list_entry);
};

struct list_ranges allowed SEC(".maps"), blocked SEC(".maps")
, fleet_allowed SEC(".maps")
, fleet_blocked SEC(".maps");

struct list_hosts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct addr);
	__type(value, struct list_entry);
};

struct list_hosts allowed_hosts SEC(".maps"), blocked_hosts SEC(".maps")
, fleet_allow_ips SEC(".maps")
, fleet_block_ips SEC(".maps");

/* The copies of the filter, one behind the other. */
struct list_filter {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

struct list_filter list_filter SEC(".maps"), fleet_filter SEC(".maps");

struct list_controls {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct list_control);
};

struct list_controls list_control SEC(".maps"), fleet_control SEC(".maps");

/* Read and written by the user side alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to FLEET_ORIGINS before load where there is a fleet */
	__type(key, __u32);
	__type(value, struct fleet_origin);
} fleet_origins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* the same: FLEET_SOURCES */
	__type(key, __u32);
	__type(value, struct fleet_source);
} fleet_sources SEC(".maps");

#define LISTS_NESTED 8 /* expired prefixes around one address that are skipped at most; `run` removes them */

#define LISTS_MAYBE(kind, list) (1 << ((kind)*LIST_MAX + (list)))
#define LISTS_MAYBE_RANGES	(LISTS_MAYBE(LIST_RANGES, LIST_ALLOW) | LISTS_MAYBE(LIST_RANGES, LIST_BLOCK))

/* An address, and what finds it in a filter of any set. */
struct lists_query {
	const struct addr *addr;
	int v4;
	__u32 broad;
	__u64 fine, mid; /* hashes */
};

/* The copy of a filter that is in force. */
struct lists_copy {
	__u32 number;
	__u32 levels; /* bits of enum list_level; 0: nothing is listed */
};

/* Which lists and kinds the word may have the key of: LISTS_MAYBE(). */
static __always_inline __u32 lists_maybe_word(__u64 word, __u64 hash)
{
	__u64 bits = list_bits(hash);
	__u32 maybe = 0, kind, list;

	if (!(word & list_bit(hash)))
		return 0;

#pragma unroll
	for (kind = 0; kind < LIST_KINDS; kind++)
#pragma unroll
		for (list = 0; list < LIST_MAX; list++)
			maybe |= list_has(word, list_bits_of(bits, kind, list)) << (kind * LIST_MAX + list);
	return maybe;
}

static __always_inline __u64 lists_word(void *filter, __u32 at)
{
	const __u64 *word = bpf_map_lookup_elem(filter, &at);

	return word ? *word : 0;
}

static __always_inline void lists_ask(struct lists_query *q, const struct addr *addr)
{
	__u32 first = list_word_of(addr->words[0]);

	q->addr = addr;
	q->v4 = parse_is_v4(addr);
	if (q->v4) {
		first = list_word_of(addr->words[3]);
		q->fine = list_hash(list_fine_v4(first), cfg.hash_seed[HASH_SEED_LISTS]);
	} else {
		q->fine = list_hash(list_fine_v6(first, list_word_of(addr->words[1])), cfg.hash_seed[HASH_SEED_LISTS]);
		q->mid = list_hash(list_mid_v6(first), cfg.hash_seed[HASH_SEED_LISTS]);
	}
	q->broad = list_broad(q->v4, first);
}

/* The maps of a set that may hold the address: bits of LISTS_MAYBE(). `words`: of one copy of its filter. */
static __always_inline __u32 lists_maybe(const struct lists_query *q, struct lists_copy copy, void *filter, __u32 words)
{
	__u32 base = copy.number * list_copy_words(words), levels = copy.levels, maybe = 0;

	if (levels & LIST_FINE)
		maybe = lists_maybe_word(lists_word(filter, base + list_word_at(q->fine, words)), q->fine);
	if (levels & LIST_MID && !q->v4)
		maybe |= lists_maybe_word(lists_word(filter, base + list_word_at(q->mid, words)), q->mid) &
			 LISTS_MAYBE_RANGES;
	if (levels & LIST_BROAD)
		maybe |=
			(lists_word(filter, base + list_broad_at(q->broad, words)) >> list_broad_shift(q->broad, 0) & 3)
			<< (LIST_RANGES * LIST_MAX);
	return maybe;
}

static __always_inline int lists_holds(const struct list_entry *entry)
{
	return !entry->expires_ns || entry->expires_ns > bpf_ktime_get_coarse_ns();
}

/*
 * The longest prefix decides, but an expired one must not hide a shorter one that is still valid. A prefix shorter than
 * ::ffff:0:0/96 applies to IPv6 alone, though it spans the v4-mapped addresses.
 */
static __always_inline const struct list_entry *lists_search(void *trie, const struct lists_query *q)
{
	struct prefix key = {
		.prefixlen = 128,
		.words = {q->addr->words[0], q->addr->words[1], q->addr->words[2], q->addr->words[3]},
	};
	const struct list_entry *entry;
	int i;

	for (i = 0; i < LISTS_NESTED; i++) {
		entry = bpf_map_lookup_elem(trie, &key);
		if (!entry || (entry->prefixlen < 96 && q->v4))
			return 0;
		if (lists_holds(entry))
			return entry;
		if (!entry->prefixlen)
			return 0;
		key.prefixlen = entry->prefixlen - 1;
	}
	return 0;
}

static __always_inline const struct list_entry *lists_match(const struct lists_query *q, __u32 maybe, enum list list,
							    void *hosts, void *ranges)
{
	const struct list_entry *entry;

	if (maybe & LISTS_MAYBE(LIST_HOSTS, list)) {
		entry = bpf_map_lookup_elem(hosts, q->addr);
		if (entry && lists_holds(entry))
			return entry;
	}
	return maybe & LISTS_MAYBE(LIST_RANGES, list) ? lists_search(ranges, q) : 0;
}

/* NONE: the address is on neither list of the set. */
static __always_inline enum reason lists_own(const struct lists_query *q, struct lists_copy copy,
					     const struct list_entry **entry)
{
	__u32 maybe = lists_maybe(q, copy, &list_filter, cfg.list_words);

	if (!maybe)
		return REASON_NONE;
	*entry = lists_match(q, maybe, LIST_ALLOW, &allowed_hosts, &allowed);
	if (*entry)
		return REASON_ALLOWED;
	*entry = lists_match(q, maybe, LIST_BLOCK, &blocked_hosts, &blocked);
	return *entry ? REASON_BLOCKED : REASON_NONE;
}

static __always_inline enum reason lists_fleet(const struct lists_query *q, struct lists_copy copy,
					       const struct list_entry **entry)
{
	__u32 maybe = lists_maybe(q, copy, &fleet_filter, cfg.fleet_words);

	if (!maybe)
		return REASON_NONE;
	*entry = lists_match(q, maybe, LIST_ALLOW, &fleet_allow_ips, &fleet_allowed);
	if (*entry)
		return REASON_FLEET_ALLOWED;
	*entry = lists_match(q, maybe, LIST_BLOCK, &fleet_block_ips, &fleet_blocked);
	return *entry ? REASON_FLEET_BLOCKED : REASON_NONE;
}

/* `map`: of struct list_control. */
static __always_inline struct lists_copy lists_current(void *map)
{
	__u32 key = 0;
	const struct list_control *control = bpf_map_lookup_elem(map, &key);
	struct lists_copy copy = {};

	if (control) {
		copy.number = control->current & 1;
		copy.levels = control->levels[copy.number];
	}
	return copy;
}

/* What the lists say of a source, and the entry that says it. This host's own come first. */
static __always_inline enum reason lists_judge(const struct addr *addr, const struct list_entry **entry)
{
	struct lists_copy own = lists_current(&list_control), fleet = {};
	enum reason reason = REASON_NONE;
	struct lists_query q = {};

	if (cfg.fleet_entries)
		fleet = lists_current(&fleet_control);
	if (!(own.levels | fleet.levels))
		return REASON_NONE;
	lists_ask(&q, addr);
	if (own.levels)
		reason = lists_own(&q, own, entry);
	if (reason == REASON_NONE && fleet.levels)
		reason = lists_fleet(&q, fleet, entry);
	return reason;
}

#endif
