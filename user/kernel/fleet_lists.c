// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins -> the fleet's set of lists, and its table of origins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "config/prefixes.h"
#include "kernel/fleet_lists.h"
#include "kernel/list_set.h"
#include "kernel/pins.h"
#include "system/clock.h"
#include "text/log.h"

struct fleet_lists {
	struct maps maps;
	bool borrowed; /* the maps are another's */
	struct list_set set;
	struct fleet_origin *origins; /* as in the map; NULL: not read yet */
};

/* `run` pins all of them, or none. */
static int open_pins(struct fleet_lists *lists, bool write)
{
	struct pins pins;
	bool missing;
	int ret;

	if (pins__open(&pins, false, &missing))
		return missing ? 1 : -1;
	ret = pins__fleet(&pins, &lists->maps, write);
	pins__close(&pins);
	if (ret)
		return ret;
	if (write)
		return list_set__open(&lists->set, &lists->maps, LIST_SET_FLEET);
	return list_set__view(&lists->set, &lists->maps, LIST_SET_FLEET);
}

int fleet_lists__open(struct fleet_lists **lists, bool write)
{
	struct fleet_lists *new = calloc(1, sizeof(*new));
	int ret;

	*lists = NULL;
	if (!new) {
		log_error("out of memory");
		return -1;
	}
	memset(&new->maps, -1, sizeof(new->maps));
	ret = open_pins(new, write);
	if (ret)
		fleet_lists__close(new);
	else
		*lists = new;
	return ret;
}

int fleet_lists__view(struct fleet_lists **lists, const struct maps *maps)
{
	*lists = NULL;
	if (maps->fleet_control < 0)
		return 1;
	*lists = calloc(1, sizeof(**lists));
	if (!*lists) {
		log_error("out of memory");
		return -1;
	}
	(*lists)->maps = *maps;
	(*lists)->borrowed = true;
	if (list_set__view(&(*lists)->set, maps, LIST_SET_FLEET) == 0)
		return 0;
	fleet_lists__close(*lists);
	*lists = NULL;
	return -1;
}

bool fleet_lists__are_retired(const struct fleet_lists *lists)
{
	return __atomic_load_n(&lists->set.control->retired, __ATOMIC_ACQUIRE);
}

void fleet_lists__close(struct fleet_lists *lists)
{
	if (!lists)
		return;
	list_set__close(&lists->set);
	if (!lists->borrowed)
		pins__close_maps(&lists->maps);
	free(lists->origins);
	free(lists);
}

struct fleet_size fleet_lists__size(const struct fleet_lists *lists, enum list list)
{
	uint32_t capacity = lists->set.control->capacity;

	return (struct fleet_size){list_set__count(&lists->set, list), capacity, list_ranges_max(capacity)};
}

static struct list_entry list_entry_of(const struct fleet_entry *entry)
{
	return (struct list_entry){
		.expires_ns = entry->until_ns, .prefixlen = entry->prefix.prefixlen, .origins = entry->origin};
}

static struct fleet_entry fleet_entry_of(const struct prefix *prefix, const struct list_entry *entry)
{
	return (struct fleet_entry){*prefix, entry->expires_ns, entry->origins};
}

static bool is_whole(const struct prefix *prefix)
{
	struct prefix masked;

	if (prefix->prefixlen > 128)
		return false;
	masked = prefixes__wider(prefix, prefix->prefixlen);
	return !memcmp(&masked, prefix, sizeof(masked));
}

/* `bounded`: by the list's capacity. */
static int put(struct fleet_lists *lists, enum list list, const struct fleet_entry *entry, bool bounded)
{
	const struct list_entry after = list_entry_of(entry);
	struct list_entry before;
	bool is_new = !list_set__find(&lists->set, list, &entry->prefix, &before);

	if (!is_whole(&entry->prefix)) {
		errno = EINVAL;
		return -1;
	}
	if (!is_new && before.expires_ns == after.expires_ns && before.origins == after.origins) {
		list_set__mark(&lists->set, list, &entry->prefix);
		return 0;
	}
	if (is_new && bounded && !list_set__has_room(&lists->set, list, &entry->prefix)) {
		errno = ENOSPC;
		return -1;
	}
	return list_set__put(&lists->set, list, &entry->prefix, &after, is_new);
}

int fleet_lists__put(struct fleet_lists *lists, enum list list, const struct fleet_entry *entries, size_t count,
		     size_t *done)
{
	size_t i;

	for (i = 0; i < count && put(lists, list, &entries[i], true) == 0; i++)
		;
	if (done)
		*done = i;
	return i < count ? -1 : 0;
}

int fleet_lists__remove(struct fleet_lists *lists, enum list list, const struct prefix *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list_set__take(&lists->set, list, &prefixes[i]) && errno != ENOENT)
			return -1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

static bool fits(const struct fleet_lists *lists, const struct fleet_entry *entries, size_t count)
{
	uint32_t capacity = lists->set.control->capacity;
	size_t ranges = 0;

	for (size_t i = 0; i < count; i++)
		ranges += entries[i].prefix.prefixlen < 128;
	return count <= capacity && ranges <= list_ranges_max(capacity);
}

/* What is on the list, and shall not be. */
struct leaving {
	const struct fleet_entry *entries;
	size_t count;
	struct prefix *all;
	size_t leaving, room;
	bool failed;
};

static void visit_leaving(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct leaving *leaving = context;
	struct prefix *more;

	(void)entry;
	if (leaving->failed ||
	    (leaving->count && bsearch(prefix, leaving->entries, leaving->count, sizeof(*leaving->entries), compare)))
		return;
	if (leaving->leaving == leaving->room) {
		leaving->room = leaving->room * 2 ?: 64;
		more = reallocarray(leaving->all, leaving->room, sizeof(*more));
		leaving->failed = !more;
		if (!more)
			return;
		leaving->all = more;
	}
	leaving->all[leaving->leaving++] = *prefix;
}

int fleet_lists__replace(struct fleet_lists *lists, enum list list, struct fleet_entry *entries, size_t count)
{
	struct leaving leaving = {.entries = entries, .count = count};
	int ret = -1;

	for (size_t i = 0; i < count; i++)
		if (!is_whole(&entries[i].prefix)) {
			errno = EINVAL;
			return -1;
		}
	if (!fits(lists, entries, count)) {
		errno = ENOSPC;
		return -1;
	}
	if (count)
		qsort(entries, count, sizeof(*entries), compare);
	if (list_set__walk(&lists->set, list, visit_leaving, &leaving))
		goto cleanup;
	if (leaving.failed) {
		errno = ENOMEM;
		goto cleanup;
	}
	for (size_t i = 0; i < count; i++)
		if (put(lists, list, &entries[i], false))
			goto cleanup;
	ret = fleet_lists__remove(lists, list, leaving.all, leaving.leaving);
cleanup:
	free(leaving.all);
	return ret;
}

struct each {
	void (*found)(void *context, const struct fleet_entry *entry);
	void *context;
	uint64_t now;
};

static void visit(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	const struct fleet_entry found = fleet_entry_of(prefix, entry);
	const struct each *each = context;

	if (!found.until_ns || found.until_ns > each->now)
		each->found(each->context, &found);
}

int fleet_lists__each(const struct fleet_lists *lists, enum list list,
		      void (*found)(void *context, const struct fleet_entry *entry), void *context)
{
	struct each each = {found, context, clock__now()};

	return list_set__walk(&lists->set, list, visit, &each);
}

bool fleet_lists__find(const struct fleet_lists *lists, enum list list, const struct prefix *prefix,
		       struct fleet_entry *entry)
{
	struct list_entry found;

	if (!list_set__find(&lists->set, list, prefix, &found))
		return false;
	*entry = fleet_entry_of(prefix, &found);
	return true;
}

int fleet_lists__origin(const struct fleet_lists *lists, uint32_t row, struct fleet_origin *origin)
{
	return bpf_map_lookup_elem(lists->maps.fleet_origins, &row, origin) ? -1 : 0;
}

int fleet_lists__set_origin(struct fleet_lists *lists, uint32_t row, const struct fleet_origin *origin)
{
	if (bpf_map_update_elem(lists->maps.fleet_origins, &row, origin, BPF_ANY))
		return -1;
	if (lists->origins)
		lists->origins[row] = *origin;
	return 0;
}

int fleet_lists__source(const struct fleet_lists *lists, uint32_t row, struct fleet_source *source)
{
	return bpf_map_lookup_elem(lists->maps.fleet_sources, &row, source) ? -1 : 0;
}

int fleet_lists__set_source(struct fleet_lists *lists, uint32_t row, const struct fleet_source *source)
{
	return bpf_map_update_elem(lists->maps.fleet_sources, &row, source, BPF_ANY) ? -1 : 0;
}

static int read_origins(struct fleet_lists *lists)
{
	struct fleet_origin *all = calloc(FLEET_ORIGINS, sizeof(*all));

	for (uint32_t row = 0; all && row < FLEET_ORIGINS; row++)
		if (fleet_lists__origin(lists, row, &all[row])) {
			free(all);
			return -1;
		}
	lists->origins = all;
	return all ? 0 : -1;
}

static bool is_same(const struct fleet_origin *a, const struct fleet_origin *b)
{
	return !strncmp(a->source, b->source, sizeof(a->source)) && !strncmp(a->origin, b->origin, sizeof(a->origin)) &&
	       !strncmp(a->scenario, b->scenario, sizeof(a->scenario));
}

uint32_t fleet_lists__row(struct fleet_lists *lists, const struct fleet_origin *origin)
{
	if (!lists->origins && read_origins(lists))
		return 0;
	for (uint32_t row = 1; row < FLEET_ORIGINS; row++) {
		if (is_same(&lists->origins[row], origin))
			return row;
		if (!*lists->origins[row].source)
			return fleet_lists__set_origin(lists, row, origin) ? 0 : row;
	}
	return 0;
}
