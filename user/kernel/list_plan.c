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

/* New entries come first, so that no source is unlisted in between; but a full list needs the places of entries that
 * go. */
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
	size_t entries, removed; /* of the list */
	bool keeps;		 /* the file's entries that are not wanted */
	bool failed;
};

static void visit_unwanted(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct list_change change = {.before = *entry, .prefix = *prefix, .step = STEP_REMOVE};
	struct planning *planning = context;

	planning->entries++;
	if (planning->keeps || !(entry->origins & LIST_BY_FILE) ||
	    bsearch(prefix, planning->wanted, planning->count, sizeof(*prefix), compare))
		return;
	if (entry->origins & ~LIST_BY_FILE)
		change.step = STEP_LAST; /* the entry stays for its other origin */
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
		lists__find(plan->maps, plan->list, &change.prefix, &change.before);
		if (change.before.origins & LIST_BY_FILE)
			continue;
		added += !change.before.origins;
		if (added > room + planning->removed) {
			errno = ENOSPC;
			return lists__fail_put(plan->list, &change.prefix);
		}
		change.step = noted++ < room ? STEP_FIRST : STEP_LAST;
		planning->failed |= note(plan, &change) != 0;
	}
	return 0;
}

int lists__plan(struct list_plan *plan, const struct maps *maps, enum list list, const struct list_wish *wish)
{
	size_t count = wish->prefixes.count, size = sizeof(*wish->prefixes.all);
	struct planning planning = {
		.plan = plan, .wanted = malloc((count ?: 1) * size), .count = count, .keeps = wish->keeps_others};
	int ret = -1;

	*plan = (struct list_plan){.maps = maps, .list = list};
	if (!planning.wanted)
		return -1;
	if (count)
		memcpy(planning.wanted, wish->prefixes.all, count * size);
	qsort(planning.wanted, count, size, compare);
	if (lists__walk(lists__trie(maps, list), visit_unwanted, &planning) || plan_wanted(&planning))
		goto cleanup;
	if (planning.failed)
		log_error("out of memory while planning changes of the %s list", lists__name(list));
	else
		ret = 0;
cleanup:
	free(planning.wanted);
	return ret;
}

static int set_entry(const struct list_plan *plan, const struct prefix *prefix, const struct list_entry *entry)
{
	if (entry->origins)
		return lists__put(plan->maps, plan->list, prefix, entry) ? lists__fail_put(plan->list, prefix) : 0;
	if (lists__take(plan->maps, plan->list, prefix) == 0 || errno == ENOENT)
		return 0;
	log_error("cannot take entries off the %s list: %s", lists__name(plan->list), strerror(errno));
	return -1;
}

/* A command may have changed an entry since it was planned. */
static int make_change(const struct list_plan *plan, struct list_change *change)
{
	struct list_entry after;

	lists__find(plan->maps, plan->list, &change->prefix, &change->before);
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

/* In reverse order, in which each step has the place that it had. */
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

int lists__sync(const struct maps *maps, enum list list, const struct list_wish *wish)
{
	struct list_plan plan;
	int ret = lists__plan(&plan, maps, list, wish) ?: lists__apply(&plan);

	lists__forget(&plan);
	return ret;
}
