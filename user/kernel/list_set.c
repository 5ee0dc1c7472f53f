// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of a set: in their map, counted, and in the filter.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/list_filter.h"
#include "kernel/list_set.h"
#include "system/clock.h"
#include "text/log.h"

struct list_set list_set__of(const struct maps *maps, enum list_set_kind kind)
{
	if (kind == LIST_SET_FLEET)
		return (struct list_set){.maps = {{maps->fleet_allow_ips, maps->fleet_allowed},
						  {maps->fleet_block_ips, maps->fleet_blocked}}};
	return (struct list_set){.maps = {{maps->allowed_hosts, maps->allowed}, {maps->blocked_hosts, maps->blocked}}};
}

static size_t whole_pages(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static void *map_shared(int fd, size_t bytes, int protection)
{
	void *memory = mmap(NULL, whole_pages(bytes), protection, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static uint32_t words_of(int filter)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(filter, &info, &len) || info.max_entries <= LIST_COPIES * LIST_BROAD_WORDS)
		return 0;
	return info.max_entries / LIST_COPIES - LIST_BROAD_WORDS;
}

int list_set__open(struct list_set *set, const struct maps *maps, enum list_set_kind kind)
{
	int filter = kind == LIST_SET_FLEET ? maps->fleet_filter : maps->list_filter;
	int control = kind == LIST_SET_FLEET ? maps->fleet_control : maps->list_control;

	*set = list_set__of(maps, kind);
	set->words = words_of(filter);
	set->filter_size = LIST_COPIES * list_copy_words(set->words) * sizeof(*set->filter);
	if (set->words) {
		set->control = map_shared(control, sizeof(*set->control), PROT_READ | PROT_WRITE);
		set->filter = map_shared(filter, set->filter_size, PROT_READ | PROT_WRITE);
	}
	if (set->control && set->filter)
		return 0;
	log_error("cannot map the filter of the lists: %s", set->words ? strerror(errno) : "it has another shape");
	list_set__close(set);
	return -1;
}

int list_set__view(struct list_set *set, const struct maps *maps, enum list_set_kind kind)
{
	int control = kind == LIST_SET_FLEET ? maps->fleet_control : maps->list_control;

	*set = list_set__of(maps, kind);
	set->control = map_shared(control, sizeof(*set->control), PROT_READ);
	if (set->control)
		return 0;
	log_error("cannot map the state of the lists: %s", strerror(errno));
	return -1;
}

void list_set__close(struct list_set *set)
{
	if (set->control)
		munmap(set->control, whole_pages(sizeof(*set->control)));
	if (set->filter)
		munmap(set->filter, whole_pages(set->filter_size));
	*set = (struct list_set){};
}

void list_set__begin(const struct list_set *set, uint64_t seed, uint32_t entries)
{
	set->control->seed = seed;
	set->control->capacity = entries;
	__atomic_store_n(&set->control->retired, 0, __ATOMIC_RELEASE);
}

void list_set__retire(int control)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	struct list_control *shared;

	if (bpf_obj_get_info_by_fd(control, &info, &len) || info.value_size != sizeof(*shared))
		return;
	shared = map_shared(control, sizeof(*shared), PROT_READ | PROT_WRITE);
	if (!shared)
		return;
	__atomic_store_n(&shared->retired, 1, __ATOMIC_RELEASE);
	munmap(shared, whole_pages(sizeof(*shared)));
}

#define HOST_BYTES   96	 /* an element of a hash: its head (48), key and value, in a slab of this size */
#define RANGE_BYTES  160 /* a node of a trie in a slab of 96, and an inner node of 64 for each */
#define BUCKET_BYTES 16

uint64_t list_set__bytes(const struct list_control *control)
{
	uint64_t buckets = 1, bytes;

	if (!control->capacity)
		return 0;
	while (buckets < LIST_ROOM * control->capacity)
		buckets *= 2;
	bytes = buckets * BUCKET_BYTES * LIST_MAX +
		(uint64_t)LIST_COPIES * list_copy_words(list_words(control->capacity)) * sizeof(uint64_t);
	for (int list = 0; list < LIST_MAX; list++)
		bytes += (uint64_t)control->counts[list][LIST_HOSTS] * HOST_BYTES +
			 (uint64_t)control->counts[list][LIST_RANGES] * RANGE_BYTES;
	return bytes;
}

static enum list_kind kind_of(const struct prefix *prefix)
{
	return prefix->prefixlen == 128 ? LIST_HOSTS : LIST_RANGES;
}

static uint32_t count_of(const struct list_set *set, enum list list, enum list_kind kind)
{
	return __atomic_load_n(&set->control->counts[list][kind], __ATOMIC_RELAXED);
}

size_t list_set__count(const struct list_set *set, enum list list)
{
	return (size_t)count_of(set, list, LIST_HOSTS) + count_of(set, list, LIST_RANGES);
}

bool list_set__has_room(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	uint32_t capacity = set->control->capacity;

	return list_set__count(set, list) < capacity &&
	       (kind_of(prefix) == LIST_HOSTS || count_of(set, list, LIST_RANGES) < list_ranges_max(capacity));
}

/* The key of an entry's map. */
union key {
	struct prefix prefix;
	struct addr addr;
};

static union key key_of(const struct prefix *prefix)
{
	union key key = {.prefix = *prefix};

	if (kind_of(prefix) == LIST_HOSTS)
		memcpy(key.addr.words, prefix->words, sizeof(key.addr.words));
	return key;
}

/* A trie also answers with a shorter prefix. */
bool list_set__find(const struct list_set *set, enum list list, const struct prefix *prefix, struct list_entry *entry)
{
	union key key = key_of(prefix);

	if (bpf_map_lookup_elem(set->maps[list][kind_of(prefix)], &key, entry) == 0 &&
	    entry->prefixlen == prefix->prefixlen)
		return true;
	*entry = (struct list_entry){};
	return false;
}

static void note_change(const struct list_set *set)
{
	__atomic_fetch_add(&set->control->changes, 1, __ATOMIC_SEQ_CST);
}

/* The entry is in its map: no copy that is cleared from now on misses it, as the maps are walked behind that. */
static void add_bits(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned copy = 0; copy < LIST_COPIES; copy++)
		list_filter__add(set, copy, list, prefix);
}

/* Where the process ends between, the change before has the next pass see to the filter. */
int list_set__put(const struct list_set *set, enum list list, const struct prefix *prefix,
		  const struct list_entry *entry, bool is_new)
{
	enum list_kind kind = kind_of(prefix);
	union key key = key_of(prefix);

	note_change(set);
	if (bpf_map_update_elem(set->maps[list][kind], &key, entry, BPF_ANY))
		return -1;
	if (is_new)
		__atomic_fetch_add(&set->control->counts[list][kind], 1, __ATOMIC_RELAXED);
	add_bits(set, list, prefix);
	note_change(set);
	return 0;
}

void list_set__mark(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	add_bits(set, list, prefix);
}

/* A count that missed an entry does not wrap. */
static void count_down(const struct list_set *set, enum list list, enum list_kind kind)
{
	uint32_t *count = &set->control->counts[list][kind], now = __atomic_load_n(count, __ATOMIC_RELAXED);

	while (now && !__atomic_compare_exchange_n(count, &now, now - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

int list_set__take(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	enum list_kind kind = kind_of(prefix);
	union key key = key_of(prefix);

	note_change(set);
	if (bpf_map_delete_elem(set->maps[list][kind], &key))
		return -1;
	count_down(set, list, kind);
	note_change(set);
	return 0;
}

#define RANGE_STAYS_NS (60 * NS_PER_S)

uint64_t list_set__end(const struct prefix *prefix, const struct list_entry *entry)
{
	return entry->expires_ns && kind_of(prefix) == LIST_RANGES ? entry->expires_ns + RANGE_STAYS_NS
								   : entry->expires_ns;
}

static bool is_over(const struct prefix *prefix, const struct list_entry *entry, uint64_t now)
{
	uint64_t end = list_set__end(prefix, entry);

	return end && end <= now;
}

/* What another process renewed at this moment is put back, unless it is there once more. */
static bool expire_host(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t now)
{
	int map = set->maps[list][LIST_HOSTS];
	union key key = key_of(prefix);
	struct list_entry entry;

	note_change(set);
	if (bpf_map_lookup_and_delete_elem(map, &key, &entry))
		return false;
	if (!is_over(prefix, &entry, now) &&
	    (bpf_map_update_elem(map, &key, &entry, BPF_NOEXIST) == 0 || errno == EEXIST))
		return false;
	count_down(set, list, LIST_HOSTS);
	note_change(set);
	return true;
}

bool list_set__expire(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t now)
{
	struct list_entry entry;

	if (!list_set__find(set, list, prefix, &entry) || !is_over(prefix, &entry, now))
		return false;
	if (kind_of(prefix) == LIST_HOSTS)
		return expire_host(set, list, prefix, now);
	return list_set__take(set, list, prefix) == 0;
}
