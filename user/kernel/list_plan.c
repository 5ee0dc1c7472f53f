// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a list agree with the configuration file, in steps that can be undone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/list_parts.h"
#include "text/log.h"

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/* New entries come first, so that no source is unlisted in between: the maps have room for both. */
enum step {
	STEP_ADD,
	STEP_REMOVE,
	STEP_MAX,
};

struct list_change {
	struct list_entry before; /* origins 0: there is none */
	struct prefix prefix;
	uint8_t step;
	bool by_file; /* the file has it; else it no longer has */
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
	if (after.expires_ns) /* an entry with a lifetime becomes the file's alone */
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

/* The file's entries, sorted, and the list to change. */
struct planning {
	struct list_plan *plan;
	struct prefix *wanted;
	size_t count;
	size_t entries[LIST_KINDS], removed[LIST_KINDS]; /* of the list */
	bool keeps;					 /* the file's entries that are not wanted */
	bool failed;
};

static enum list_kind kind_of(const struct prefix *prefix)
{
	return prefix->prefixlen == 128 ? LIST_HOSTS : LIST_RANGES;
}

static void visit_unwanted(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct list_change change = {.before = *entry, .prefix = *prefix, .step = STEP_REMOVE};
	struct planning *planning = context;

	planning->entries[kind_of(prefix)]++;
	if (planning->keeps || !(entry->origins & LIST_BY_FILE) ||
	    bsearch(prefix, planning->wanted, planning->count, sizeof(*prefix), compare))
		return;
	if (!(entry->origins & ~LIST_BY_FILE)) /* else the entry stays for its other origin */
		planning->removed[kind_of(prefix)]++;
	if (note(planning->plan, &change))
		planning->failed = true;
}

/* Whether the list holds what it will have: entries of one kind stand for ranges alone, else for all. */
static bool has_room(const struct planning *planning, const size_t added[LIST_KINDS])
{
	uint32_t capacity = planning->plan->set->control->capacity;
	size_t ranges = planning->entries[LIST_RANGES] + added[LIST_RANGES] - planning->removed[LIST_RANGES];
	size_t hosts = planning->entries[LIST_HOSTS] + added[LIST_HOSTS] - planning->removed[LIST_HOSTS];

	return hosts + ranges <= capacity && (!added[LIST_RANGES] || ranges <= list_ranges_max(capacity));
}

static int plan_wanted(struct planning *planning)
{
	struct list_plan *plan = planning->plan;
	size_t added[LIST_KINDS] = {}, i;

	for (i = 0; i < planning->count; i++) {
		struct list_change change = {.prefix = planning->wanted[i], .step = STEP_ADD, .by_file = true};

		if (i && !compare(&planning->wanted[i], &planning->wanted[i - 1]))
			continue;
		list_set__find(plan->set, plan->list, &change.prefix, &change.before);
		if (change.before.origins & LIST_BY_FILE)
			continue;
		added[kind_of(&change.prefix)] += !change.before.origins;
		if (!change.before.origins && !has_room(planning, added)) {
			errno = ENOSPC;
			return lists__fail_put(plan->set, plan->list, &change.prefix);
		}
		planning->failed |= note(plan, &change) != 0;
	}
	return 0;
}

int lists__plan(struct list_plan *plan, const struct list_set *set, enum list list, const struct list_wish *wish)
{
	size_t count = wish->prefixes.count, size = sizeof(*wish->prefixes.all);
	struct planning planning = {
		.plan = plan, .wanted = malloc((count ?: 1) * size), .count = count, .keeps = wish->keeps_others};
	int ret = -1;

	*plan = (struct list_plan){.set = set, .list = list};
	if (!planning.wanted)
		return -1;
	if (count)
		memcpy(planning.wanted, wish->prefixes.all, count * size);
	qsort(planning.wanted, count, size, compare);
	if (list_set__walk(set, list, visit_unwanted, &planning) || plan_wanted(&planning))
		goto cleanup;
	if (planning.failed)
		log_error("out of memory while planning changes of the %s list", lists__name(list));
	else
		ret = 0;
cleanup:
	free(planning.wanted);
	return ret;
}

/* Makes the entry what it shall be, where `now` is what it is. */
static int set_entry(const struct list_plan *plan, const struct prefix *prefix, const struct list_entry *entry,
		     const struct list_entry *now)
{
	if (entry->origins)
		return list_set__put(plan->set, plan->list, prefix, entry, !now->origins)
			       ? lists__fail_put(plan->set, plan->list, prefix)
			       : 0;
	if (list_set__take(plan->set, plan->list, prefix) == 0 || errno == ENOENT)
		return 0;
	log_error("cannot take entries off the %s list: %s", lists__name(plan->list), strerror(errno));
	return -1;
}

/* A command may have changed an entry since it was planned. */
static int make_change(const struct list_plan *plan, struct list_change *change)
{
	struct list_entry after;

	list_set__find(plan->set, plan->list, &change->prefix, &change->before);
	after = entry_after(change);
	if (set_entry(plan, &change->prefix, &after, &change->before))
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

/* In reverse order: what was removed is back before what was added goes. */
void lists__revert(struct list_plan *plan)
{
	for (unsigned step = STEP_MAX; step--;)
		for (size_t i = plan->count; i--;) {
			struct list_change *change = &plan->changes[i];
			struct list_entry now;

			if (change->step != step || !change->done)
				continue;
			list_set__find(plan->set, plan->list, &change->prefix, &now);
			set_entry(plan, &change->prefix, &change->before, &now);
			change->done = false;
		}
}

void lists__forget(struct list_plan *plan)
{
	free(plan->changes);
	*plan = (struct list_plan){};
}

int lists__sync(const struct list_set *set, enum list list, const struct list_wish *wish)
{
	struct list_plan plan;
	int ret = lists__plan(&plan, set, list, wish) ?: lists__apply(&plan);

	lists__forget(&plan);
	return ret;
}
