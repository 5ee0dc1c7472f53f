// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allow and block lists: tries of prefixes, whose entries may expire.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "lists.h"
#include "log.h"
#include "print.h"

/* The clock that the kernel side compares with (bpf_ktime_get_coarse_ns). */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

const char *lists__name(enum list list)
{
	return list == LIST_ALLOW ? "allow" : "block";
}

static int trie_of(const struct maps *maps, enum list list)
{
	return list == LIST_ALLOW ? maps->allowed : maps->blocked;
}

/* Until it is marked as used, the kernel side does not look into a list. */
static int put(const struct maps *maps, enum list list, const struct prefix *prefix, const struct list_entry *entry)
{
	__u32 key = list, used = 1;

	return bpf_map_update_elem(trie_of(maps, list), prefix, entry, BPF_ANY) ||
	       bpf_map_update_elem(maps->lists_used, &key, &used, BPF_ANY);
}

int lists__add(const struct maps *maps, enum list list, const struct prefix *prefix, uint64_t lifetime_ns)
{
	struct list_entry entry = {.expires_ns = lifetime_ns ? now_ns() + lifetime_ns : 0,
				   .prefixlen = prefix->prefixlen};
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN];

	if (put(maps, list, prefix, &entry) == 0)
		return 0;
	if (errno == ENOSPC)
		log_error("the %s list is full (%d entries); remove some: synwarden un%s CIDR", name, MAX_LIST, name);
	else
		log_error("cannot put %s on the %s list: %s", print_prefix(text, prefix), name, strerror(errno));
	return -1;
}

int lists__remove(const struct maps *maps, enum list list, const struct prefix *prefix)
{
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN];

	if (bpf_map_delete_elem(trie_of(maps, list), prefix) == 0)
		return 0;
	if (errno == ENOENT)
		log_error("%s is not on the %s list; see it with: synwarden list", print_prefix(text, prefix), name);
	else
		log_error("cannot take %s off the %s list: %s", print_prefix(text, prefix), name, strerror(errno));
	return -1;
}

/* Walks all entries; the next key is asked for before an entry may go. */
static int walk(int map, void (*found)(void *context, const struct prefix *prefix, const struct list_entry *entry),
		void *context)
{
	struct prefix keys[2];
	struct list_entry entry;
	int err = bpf_map_get_next_key(map, NULL, &keys[0]) ? errno : 0;

	while (!err) {
		err = bpf_map_get_next_key(map, &keys[0], &keys[1]) ? errno : 0;
		if (bpf_map_lookup_elem(map, &keys[0], &entry) == 0 && entry.prefixlen == keys[0].prefixlen)
			found(context, &keys[0], &entry);
		keys[0] = keys[1];
	}
	if (err == ENOENT)
		return 0;
	log_error("cannot read the list: %s", strerror(err));
	return -1;
}

struct each {
	void (*found)(void *context, const struct prefix *prefix, uint64_t left_ns);
	void *context;
	uint64_t now;
	int map;
};

static void visit_live(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct each *each = context;

	if (!entry->expires_ns)
		each->found(each->context, prefix, 0);
	else if (entry->expires_ns > each->now)
		each->found(each->context, prefix, entry->expires_ns - each->now);
}

int lists__each(const struct maps *maps, enum list list,
		void (*found)(void *context, const struct prefix *prefix, uint64_t left_ns), void *context)
{
	struct each each = {.found = found, .context = context, .now = now_ns()};

	return walk(trie_of(maps, list), visit_live, &each);
}

static void visit_expired(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct each *each = context;

	if (entry->expires_ns && entry->expires_ns <= each->now)
		bpf_map_delete_elem(each->map, prefix);
}

int lists__sweep(const struct maps *maps, enum list list)
{
	struct each each = {.map = trie_of(maps, list), .now = now_ns()};

	return walk(each.map, visit_expired, &each);
}

static void clear_host_bits(struct prefix *prefix)
{
	unsigned char *bytes = (unsigned char *)prefix->words;

	for (unsigned bit = prefix->prefixlen; bit < 128; bit++)
		bytes[bit / 8] &= ~(0x80 >> bit % 8);
}

/* As lists_match() on the kernel side: the longest prefix, looking behind expired ones. */
bool lists__match(const struct maps *maps, enum list list, const struct addr *addr, struct prefix *match,
		  uint64_t *left_ns)
{
	struct prefix key = {.prefixlen = 128};
	struct list_entry entry;
	uint64_t now = now_ns();

	memcpy(key.words, addr->words, sizeof(key.words));
	while (bpf_map_lookup_elem(trie_of(maps, list), &key, &entry) == 0 &&
	       (entry.prefixlen >= 96 || !print_is_v4(addr))) {
		if (!entry.expires_ns || entry.expires_ns > now) {
			*match = key;
			match->prefixlen = entry.prefixlen;
			clear_host_bits(match);
			*left_ns = entry.expires_ns ? entry.expires_ns - now : 0;
			return true;
		}
		if (!entry.prefixlen)
			break;
		key.prefixlen = entry.prefixlen - 1;
	}
	return false;
}
