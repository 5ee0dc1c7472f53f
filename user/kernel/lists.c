// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allow and block lists: tries of prefixes, whose entries may expire.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/list_parts.h"
#include "kernel/lists.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"

const char *lists__name(enum list list)
{
	return list == LIST_ALLOW ? "allow" : "block";
}

int lists__trie(const struct maps *maps, enum list list)
{
	return list == LIST_ALLOW ? maps->allowed : maps->blocked;
}

/* The kernel side looks into a list only once it is marked as used; another mark tells `run` that the list changed. */
static int mark(const struct maps *maps, enum list list)
{
	__u32 key = list, mark = (__u32)clock__now() | 1;

	return bpf_map_update_elem(maps->lists_used, &key, &mark, BPF_ANY);
}

int lists__put(const struct maps *maps, enum list list, const struct prefix *prefix, const struct list_entry *entry)
{
	return bpf_map_update_elem(lists__trie(maps, list), prefix, entry, BPF_ANY) || mark(maps, list);
}

int lists__take(const struct maps *maps, enum list list, const struct prefix *prefix)
{
	return bpf_map_delete_elem(lists__trie(maps, list), prefix) || mark(maps, list);
}

int lists__fail_put(enum list list, const struct prefix *prefix)
{
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN];

	if (errno == ENOSPC)
		log_error("the %s list is full (%d entries); remove some: synwarden un%s CIDR", name, MAX_LIST, name);
	else
		log_error("cannot put %s on the %s list: %s", print_prefix(text, prefix), name, strerror(errno));
	return -1;
}

/* The entry with exactly this prefix: a trie also answers with a shorter one. *entry is all zero where there is none.
 */
void lists__find(const struct maps *maps, enum list list, const struct prefix *prefix, struct list_entry *entry)
{
	if (bpf_map_lookup_elem(lists__trie(maps, list), prefix, entry) || entry->prefixlen != prefix->prefixlen)
		*entry = (struct list_entry){};
}

int lists__add(const struct maps *maps, enum list list, const struct prefix *prefix, uint64_t lifetime_ns)
{
	struct list_entry entry = {.expires_ns = lifetime_ns ? clock__now() + lifetime_ns : 0,
				   .prefixlen = prefix->prefixlen,
				   .origins = LIST_BY_COMMAND},
			  before;
	char text[PRINT_PREFIX_LEN];

	lists__find(maps, list, prefix, &before);
	if (before.origins & LIST_BY_FILE) {
		if (lifetime_ns) {
			log_warn("%s is on the %s list by the configuration file: it stays as long as the file says",
				 print_prefix(text, prefix), lists__name(list));
			return 1;
		}
		entry.origins |= LIST_BY_FILE;
	}
	return lists__put(maps, list, prefix, &entry) ? lists__fail_put(list, prefix) : 0;
}

/* The entry that a prefix is within, and that holds: false where there is none. */
static bool find_wider(const struct maps *maps, enum list list, const struct prefix *prefix, struct prefix *wider)
{
	struct list_entry entry;
	struct addr addr;

	memcpy(addr.words, prefix->words, sizeof(addr.words));
	if (bpf_map_lookup_elem(lists__trie(maps, list), prefix, &entry) || entry.prefixlen >= prefix->prefixlen ||
	    (entry.expires_ns && entry.expires_ns <= clock__now()) || (print_is_v4(&addr) && entry.prefixlen < 96))
		return false;
	*wider = prefixes__wider(prefix, entry.prefixlen);
	return true;
}

static void note_missing(const struct maps *maps, enum list list, const struct prefix *prefix)
{
	char text[PRINT_PREFIX_LEN], wider_text[PRINT_PREFIX_LEN];
	struct prefix wider;

	print_prefix(text, prefix);
	if (find_wider(maps, list, prefix, &wider))
		log_notice("%s is not on the %s list by itself: it is within %s, which is", text, lists__name(list),
			   print_prefix(wider_text, &wider));
	else
		log_notice("%s is not on the %s list", text, lists__name(list));
}

int lists__remove(const struct maps *maps, enum list list, const struct prefix *prefix, bool quiet)
{
	char text[PRINT_PREFIX_LEN];
	struct list_entry before;

	lists__find(maps, list, prefix, &before);
	if (lists__take(maps, list, prefix) == 0) {
		if (before.origins & LIST_BY_FILE)
			log_warn("%s is in the configuration file: unless it is removed there, the next start or "
				 "reload puts it back",
				 print_prefix(text, prefix));
		if (!before.expires_ns || before.expires_ns > clock__now())
			return 0;
		if (!quiet)
			log_notice("%s was not on the %s list any more: its time is over", print_prefix(text, prefix),
				   lists__name(list));
		return 1;
	}
	if (errno != ENOENT) {
		log_error("cannot take %s off the %s list: %s", print_prefix(text, prefix), lists__name(list),
			  strerror(errno));
		return -1;
	}
	if (!quiet)
		note_missing(maps, list, prefix);
	return 1;
}

#define BATCH 512

/* Walks all entries, in batches. An entry that ends up in two of them is visited twice. */
int lists__walk(int map, lists_found found, void *context)
{
	struct batch {
		struct prefix keys[BATCH], token;
		struct list_entry entries[BATCH];
	} *batch = malloc(sizeof(*batch));
	bool first = true;
	int err = batch ? 0 : ENOMEM;

	while (!err) {
		__u32 count = BATCH;

		err = bpf_map_lookup_batch(map, first ? NULL : &batch->token, &batch->token, batch->keys,
					   batch->entries, &count, NULL)
			      ? errno
			      : 0;
		if (err && err != ENOENT)
			break;
		first = false;
		for (__u32 i = 0; i < count; i++)
			if (batch->entries[i].prefixlen == batch->keys[i].prefixlen)
				found(context, &batch->keys[i], &batch->entries[i]);
	}
	free(batch);
	if (err == ENOENT)
		return 0;
	log_error("cannot read the list: %s", strerror(err));
	return -1;
}

struct each {
	lists_visit found;
	void *context;
	uint64_t now;
	int map;
};

static void visit_live(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct each *each = context;

	if (!entry->expires_ns)
		each->found(each->context, prefix, 0, entry->origins);
	else if (entry->expires_ns > each->now)
		each->found(each->context, prefix, entry->expires_ns - each->now, entry->origins);
}

int lists__each(const struct maps *maps, enum list list, lists_visit found, void *context)
{
	struct each each = {.found = found, .context = context, .now = clock__now()};

	return lists__walk(lists__trie(maps, list), visit_live, &each);
}

uint64_t lists__mark(const struct maps *maps)
{
	uint64_t marks = 0;

	for (__u32 list = 0; list < LIST_MAX; list++) {
		__u32 mark = 0;

		bpf_map_lookup_elem(maps->lists_used, &list, &mark);
		marks = marks << 32 | mark;
	}
	return marks;
}

int lists__restore(const struct maps *maps, enum list list, const struct prefix *prefix, uint64_t left_ns,
		   unsigned origins)
{
	const struct list_entry entry = {
		.expires_ns = left_ns ? clock__now() + left_ns : 0, .prefixlen = prefix->prefixlen, .origins = origins};

	return lists__put(maps, list, prefix, &entry) ? lists__fail_put(list, prefix) : 0;
}

struct carry {
	const struct maps *to;
	enum list list;
	bool failed;
};

static void visit_carried(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct carry *carry = context;

	if (!carry->failed && lists__put(carry->to, carry->list, prefix, entry))
		carry->failed = lists__fail_put(carry->list, prefix) != 0;
}

static bool has_our_form(int map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return map >= 0 && bpf_obj_get_info_by_fd(map, &info, &len) == 0 && info.key_size == sizeof(struct prefix) &&
	       info.value_size == sizeof(struct list_entry);
}

int lists__carry_over(const struct maps *from, const struct maps *to)
{
	for (enum list list = 0; list < LIST_MAX; list++) {
		struct carry carry = {.to = to, .list = list};

		if (!has_our_form(lists__trie(from, list))) {
			log_error("the %s list of the former version cannot be read", lists__name(list));
			return -1;
		}
		if (lists__walk(lists__trie(from, list), visit_carried, &carry) || carry.failed)
			return -1;
	}
	return 0;
}

static void visit_expired(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct each *each = context;

	if (entry->expires_ns && entry->expires_ns <= each->now)
		bpf_map_delete_elem(each->map, prefix);
}

int lists__sweep(const struct maps *maps, enum list list)
{
	struct each each = {.map = lists__trie(maps, list), .now = clock__now()};

	return lists__walk(each.map, visit_expired, &each);
}
