// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allow and block lists: what commands and the configuration do to them.
 */
#include <errno.h>
#include <stdio.h>
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

/* " (65536 entries)"; where ranges have a limit of their own, with that. */
static const char *fullness(char text[64], const struct list_set *set, const struct prefix *prefix)
{
	uint32_t capacity = set->control->capacity, ranges = list_ranges_max(capacity);

	if (prefix->prefixlen < 128 && ranges < capacity)
		snprintf(text, 64, "%u entries, %u of them ranges, at most", capacity, ranges);
	else
		snprintf(text, 64, "%u entries", capacity);
	return text;
}

int lists__fail_put(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN], full[64];

	if (errno == ENOSPC)
		log_error("the %s list is full (%s); remove some: synwarden un%s CIDR", name,
			  fullness(full, set, prefix), name);
	else
		log_error("cannot put %s on the %s list: %s", print_prefix(text, prefix), name, strerror(errno));
	return -1;
}

static int put_within(const struct list_set *set, enum list list, const struct prefix *prefix,
		      const struct list_entry *entry, bool is_new)
{
	if (is_new && !list_set__has_room(set, list, prefix)) {
		errno = ENOSPC;
		return lists__fail_put(set, list, prefix);
	}
	return list_set__put(set, list, prefix, entry, is_new) ? lists__fail_put(set, list, prefix) : 0;
}

int lists__add(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t lifetime_ns)
{
	struct list_entry entry = {.expires_ns = lifetime_ns ? clock__now() + lifetime_ns : 0,
				   .prefixlen = prefix->prefixlen,
				   .origins = LIST_BY_COMMAND},
			  before;
	char text[PRINT_PREFIX_LEN];
	bool is_new;

	is_new = !list_set__find(set, list, prefix, &before);
	if (before.origins & LIST_BY_FILE) {
		if (lifetime_ns) {
			log_warn("%s is on the %s list by the configuration file: it stays as long as the file says",
				 print_prefix(text, prefix), lists__name(list));
			return 1;
		}
		entry.origins |= LIST_BY_FILE;
	}
	return put_within(set, list, prefix, &entry, is_new);
}

/* The entry that a prefix is within, and that holds: false where there is none. */
static bool find_wider(const struct list_set *set, enum list list, const struct prefix *prefix, struct prefix *wider)
{
	struct list_entry entry;
	struct addr addr;

	memcpy(addr.words, prefix->words, sizeof(addr.words));
	if (bpf_map_lookup_elem(set->maps[list][LIST_RANGES], prefix, &entry) || entry.prefixlen >= prefix->prefixlen ||
	    (entry.expires_ns && entry.expires_ns <= clock__now()) || (print_is_v4(&addr) && entry.prefixlen < 96))
		return false;
	*wider = prefixes__wider(prefix, entry.prefixlen);
	return true;
}

static void note_missing(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	char text[PRINT_PREFIX_LEN], wider_text[PRINT_PREFIX_LEN];
	struct prefix wider;

	print_prefix(text, prefix);
	if (find_wider(set, list, prefix, &wider))
		log_notice("%s is not on the %s list by itself: it is within %s, which is", text, lists__name(list),
			   print_prefix(wider_text, &wider));
	else
		log_notice("%s is not on the %s list", text, lists__name(list));
}

int lists__remove(const struct list_set *set, enum list list, const struct prefix *prefix, bool quiet)
{
	char text[PRINT_PREFIX_LEN];
	struct list_entry before;

	list_set__find(set, list, prefix, &before);
	if (list_set__take(set, list, prefix) == 0) {
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
		note_missing(set, list, prefix);
	return 1;
}

struct each {
	lists_visit found;
	void *context;
	uint64_t now;
};

static void visit_live(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct each *each = context;

	if (!entry->expires_ns)
		each->found(each->context, prefix, 0, entry->origins);
	else if (entry->expires_ns > each->now)
		each->found(each->context, prefix, entry->expires_ns - each->now, entry->origins);
}

int lists__each(const struct list_set *set, enum list list, lists_visit found, void *context)
{
	struct each each = {.found = found, .context = context, .now = clock__now()};

	return list_set__walk(set, list, visit_live, &each);
}

int lists__restore(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t left_ns,
		   unsigned origins)
{
	const struct list_entry entry = {
		.expires_ns = left_ns ? clock__now() + left_ns : 0, .prefixlen = prefix->prefixlen, .origins = origins};
	struct list_entry before;
	bool is_new = !list_set__find(set, list, prefix, &before);

	if (is_new && !list_set__has_room(set, list, prefix))
		return 1;
	return put_within(set, list, prefix, &entry, is_new);
}

void lists__say_left_out(const struct list_set *set, enum list list, const char *whose, size_t count)
{
	const struct prefix range = {};
	char full[64];

	log_error("%zu entries of the %s list%s have no room (max-entries: %s); start with more of them", count,
		  lists__name(list), whose, fullness(full, set, &range));
}

struct carry {
	const struct list_set *to;
	enum list list;
	uint64_t now;
	size_t left_out;
	bool failed;
};

static void visit_carried(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct carry *carry = context;
	struct list_entry before;
	bool is_new;

	if (carry->failed || (entry->expires_ns && entry->expires_ns <= carry->now))
		return;
	is_new = !list_set__find(carry->to, carry->list, prefix, &before);
	if (is_new && !list_set__has_room(carry->to, carry->list, prefix))
		carry->left_out++;
	else
		carry->failed = put_within(carry->to, carry->list, prefix, entry, is_new) != 0;
}

static bool has_our_form(int map, size_t key_size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return map >= 0 && bpf_obj_get_info_by_fd(map, &info, &len) == 0 && info.key_size == key_size &&
	       info.value_size == sizeof(struct list_entry);
}

/* Before layout 21 there were ranges alone. */
static bool can_be_read(const struct list_set *set, enum list list)
{
	return has_our_form(set->maps[list][LIST_RANGES], sizeof(struct prefix)) &&
	       (set->maps[list][LIST_HOSTS] < 0 || has_our_form(set->maps[list][LIST_HOSTS], sizeof(struct addr)));
}

int lists__carry_over(const struct list_set *from, const struct list_set *to)
{
	int ret = 0;

	for (enum list list = 0; list < LIST_MAX; list++) {
		struct carry carry = {.to = to, .list = list, .now = clock__now()};

		if (!can_be_read(from, list)) {
			log_error("the %s list of the former version cannot be read", lists__name(list));
			return -1;
		}
		if (list_set__walk(from, list, visit_carried, &carry) || carry.failed)
			return -1;
		if (carry.left_out) {
			lists__say_left_out(to, list, " of the former run", carry.left_out);
			ret = 1;
		}
	}
	return ret;
}
