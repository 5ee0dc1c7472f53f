// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allow and block lists: tries of prefixes, whose entries may expire.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "clock.h"
#include "lists.h"
#include "log.h"
#include "print.h"

/* The clock that the kernel side compares with (bpf_ktime_get_coarse_ns). */
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

static int fail_put(enum list list, const struct prefix *prefix)
{
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN];

	if (errno == ENOSPC)
		log_error("the %s list is full (%d entries); remove some: synwarden un%s CIDR", name, MAX_LIST, name);
	else
		log_error("cannot put %s on the %s list: %s", print_prefix(text, prefix), name, strerror(errno));
	return -1;
}

/* The entry with this very prefix: a trie answers with a shorter one, too. Where there is none, *entry is all zero. */
static void find(const struct maps *maps, enum list list, const struct prefix *prefix, struct list_entry *entry)
{
	if (bpf_map_lookup_elem(trie_of(maps, list), prefix, entry) || entry->prefixlen != prefix->prefixlen)
		*entry = (struct list_entry){};
}

int lists__add(const struct maps *maps, enum list list, const struct prefix *prefix, uint64_t lifetime_ns)
{
	struct list_entry entry = {.expires_ns = lifetime_ns ? clock__now() + lifetime_ns : 0,
				   .prefixlen = prefix->prefixlen,
				   .origins = LIST_BY_COMMAND},
			  before;
	char text[PRINT_PREFIX_LEN];

	find(maps, list, prefix, &before);
	if (before.origins & LIST_BY_FILE) {
		if (lifetime_ns) {
			log_warn("%s is on the %s list by the configuration file: it stays as long as the file says",
				 print_prefix(text, prefix), lists__name(list));
			return 0;
		}
		entry.origins |= LIST_BY_FILE;
	}
	return put(maps, list, prefix, &entry) ? fail_put(list, prefix) : 0;
}

int lists__remove(const struct maps *maps, enum list list, const struct prefix *prefix)
{
	const char *name = lists__name(list);
	char text[PRINT_PREFIX_LEN];
	struct list_entry before;

	find(maps, list, prefix, &before);
	if (bpf_map_delete_elem(trie_of(maps, list), prefix) == 0) {
		if (before.origins & LIST_BY_FILE)
			log_warn("%s is in the configuration file: unless it is removed there, the next start or "
				 "reload puts it back",
				 print_prefix(text, prefix));
		return 0;
	}
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
	struct each each = {.found = found, .context = context, .now = clock__now()};

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
	struct each each = {.map = trie_of(maps, list), .now = clock__now()};

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
	uint64_t now = clock__now();

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

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/* What is new comes first, so that nothing is open in between; but a full list needs the room of what goes. */
enum step {
	STEP_FIRST,
	STEP_REMOVE,
	STEP_LAST,
	STEP_MAX,
};

struct list_change {
	struct list_entry before; /* origins 0: there is none */
	struct prefix prefix;
	uint8_t step;
	bool by_file; /* wants it; else it no longer does */
	bool done;
};

static struct list_entry entry_after(const struct list_change *change)
{
	struct list_entry after = change->before;

	after.prefixlen = change->prefix.prefixlen;
	if (!change->by_file) {
		after.origins &= ~LIST_BY_FILE;
		return after;
	}
	if (after.expires_ns) /* one that was to expire is the file's alone from now on */
		after.origins = 0;
	after.origins |= LIST_BY_FILE;
	after.expires_ns = 0;
	return after;
}

static int note(struct list_plan *plan, const struct list_change *change)
{
	size_t room = plan->room * 2 ?: 64;
	struct list_change *more;

	if (plan->count == plan->room) {
		more = realloc(plan->changes, room * sizeof(*more));
		if (!more)
			return -1;
		plan->changes = more;
		plan->room = room;
	}
	plan->changes[plan->count++] = *change;
	return 0;
}

/* What the file says, in order, and the list that is to agree. */
struct planning {
	struct list_plan *plan;
	struct prefix *wanted;
	size_t count;
	size_t entries, removed; /* of the list */
	bool failed;
};

static void visit_unwanted(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct list_change change = {.before = *entry, .prefix = *prefix, .step = STEP_REMOVE};
	struct planning *planning = context;

	planning->entries++;
	if (!(entry->origins & LIST_BY_FILE) ||
	    bsearch(prefix, planning->wanted, planning->count, sizeof(*prefix), compare))
		return;
	if (entry->origins & ~LIST_BY_FILE)
		change.step = STEP_LAST; /* it stays */
	else
		planning->removed++;
	if (note(planning->plan, &change))
		planning->failed = true;
}

static int plan_wanted(struct planning *planning)
{
	size_t room = MAX_LIST - planning->entries, added = 0, noted = 0, i;
	struct list_plan *plan = planning->plan;

	for (i = 0; i < planning->count; i++) {
		struct list_change change = {.prefix = planning->wanted[i], .by_file = true};

		if (i && !compare(&planning->wanted[i], &planning->wanted[i - 1]))
			continue;
		find(plan->maps, plan->list, &change.prefix, &change.before);
		if (change.before.origins & LIST_BY_FILE)
			continue;
		added += !change.before.origins;
		if (added > room + planning->removed) {
			errno = ENOSPC;
			return fail_put(plan->list, &change.prefix);
		}
		change.step = noted++ < room ? STEP_FIRST : STEP_LAST;
		planning->failed |= note(plan, &change) != 0;
	}
	return 0;
}

int lists__plan(struct list_plan *plan, const struct maps *maps, enum list list, const struct prefix *prefixes,
		size_t count)
{
	struct planning planning = {.plan = plan, .wanted = malloc((count ?: 1) * sizeof(*prefixes)), .count = count};
	int ret = -1;

	*plan = (struct list_plan){.maps = maps, .list = list};
	if (!planning.wanted)
		return -1;
	if (count)
		memcpy(planning.wanted, prefixes, count * sizeof(*prefixes));
	qsort(planning.wanted, count, sizeof(*prefixes), compare);
	if (walk(trie_of(maps, list), visit_unwanted, &planning) || plan_wanted(&planning))
		goto cleanup;
	if (planning.failed)
		log_error("no memory for what is to be changed in the %s list", lists__name(list));
	else
		ret = 0;
cleanup:
	free(planning.wanted);
	return ret;
}

static int set_entry(const struct list_plan *plan, const struct prefix *prefix, const struct list_entry *entry)
{
	if (entry->origins)
		return put(plan->maps, plan->list, prefix, entry) ? fail_put(plan->list, prefix) : 0;
	if (bpf_map_delete_elem(trie_of(plan->maps, plan->list), prefix) == 0 || errno == ENOENT)
		return 0;
	log_error("cannot take entries off the %s list: %s", lists__name(plan->list), strerror(errno));
	return -1;
}

/* A command may have changed an entry since it was planned. */
static int make_change(const struct list_plan *plan, struct list_change *change)
{
	struct list_entry after;

	find(plan->maps, plan->list, &change->prefix, &change->before);
	after = entry_after(change);
	if (set_entry(plan, &change->prefix, &after))
		return -1;
	change->done = true;
	return 0;
}

int lists__apply(struct list_plan *plan)
{
	for (unsigned step = 0; step < STEP_MAX; step++)
		for (size_t i = 0; i < plan->count; i++)
			if (plan->changes[i].step == step && make_change(plan, &plan->changes[i])) {
				lists__revert(plan);
				return -1;
			}
	return 0;
}

/* In the opposite order: there is room for each as there was before it was done. */
void lists__revert(struct list_plan *plan)
{
	for (unsigned step = STEP_MAX; step--;)
		for (size_t i = plan->count; i--;) {
			struct list_change *change = &plan->changes[i];

			if (change->step != step || !change->done)
				continue;
			set_entry(plan, &change->prefix, &change->before);
			change->done = false;
		}
}

void lists__forget(struct list_plan *plan)
{
	free(plan->changes);
	*plan = (struct list_plan){};
}

int lists__sync(const struct maps *maps, enum list list, const struct prefix *prefixes, size_t count)
{
	struct list_plan plan;
	int ret = lists__plan(&plan, maps, list, prefixes, count) ?: lists__apply(&plan);

	lists__forget(&plan);
	return ret;
}
