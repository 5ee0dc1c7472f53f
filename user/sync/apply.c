// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the sources say -> what is wanted -> the steps to it. Additions precede removals, so that an address that moves
 * from one entry to another is never without one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/sync.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"

static enum list list_of(const struct shared_source *source)
{
	return source->config->options.allows ? LIST_ALLOW : LIST_BLOCK;
}

/* An entry of a list lasts as long as its source may stay unread. */
static uint64_t end_of(const struct shared_source *source, const struct record *record)
{
	return source->config->is_crowdsec ? record->ends_ns : source->ends_ns;
}

static int add_source(struct sync *sync, struct shared_source *source, struct desired *desired, uint64_t now_ns)
{
	bool blocks = list_of(source) == LIST_BLOCK;

	source->rejected[FLEET_PRIVATE] = 0;
	for (size_t i = 0; i < source->said.count; i++) {
		const struct record *record = &source->said.all[i];
		struct wanted wanted = {
			.entry = {record->prefix, end_of(source, record), record->note},
			.rank = sync->notes.all[record->note].rank,
			.source = source->number,
		};

		if (wanted.entry.until_ns && wanted.entry.until_ns <= now_ns)
			continue;
		if (blocks && protected__overlap(&sync->protected, &record->prefix)) {
			source->rejected[FLEET_PRIVATE]++;
			continue;
		}
		if (desired__add(desired, &wanted))
			return -1;
	}
	return 0;
}

static struct desired_room room_of(const struct sync *sync, enum list list)
{
	struct desired_room room = {sync->settings->sync.options.max_entries, SIZE_MAX};

	if (sync->fleet) {
		struct fleet_size size = fleet_lists__size(sync->fleet, list);

		room = (struct desired_room){size.capacity, size.ranges};
	}
	return room;
}

static int find_desired(struct sync *sync, enum list list, struct desired *desired)
{
	uint64_t left_out[SYNC_SOURCES_MAX] = {}, now_ns = clock__now();
	struct desired_room room = room_of(sync, list);

	for (size_t i = 0; i < sync->source_count; i++)
		if (list_of(&sync->sources[i]) == list && add_source(sync, &sync->sources[i], desired, now_ns))
			return -1;
	desired__join(desired);
	desired__fit(desired, &sync->held[list], &room, left_out);
	for (size_t i = 0; i < sync->source_count; i++)
		if (list_of(&sync->sources[i]) == list) {
			sync->sources[i].rejected[FLEET_FULL] = left_out[i] + sync->sources[i].surplus;
			sync->entries[i][list] = 0;
		}
	for (size_t i = 0; i < desired->count; i++)
		sync->entries[desired->all[i].source][list]++;
	return 0;
}

/* The kernel's row of a note, which is made when the first entry needs it. */
static uint32_t row_of(struct sync *sync, uint32_t number)
{
	struct note *note = &sync->notes.all[number];

	if (number && !note->row)
		note->row = fleet_lists__row(sync->fleet, &note->text);
	return note->row;
}

/* The maps may hold anything, as after a failure. */
static int replace(struct sync *sync, enum list list, const struct desired *desired)
{
	struct fleet_entry *entries = calloc(desired->count + 1, sizeof(*entries));
	int err = -1;

	if (!entries)
		return -1;
	for (size_t i = 0; i < desired->count; i++) {
		entries[i] = desired->all[i].entry;
		entries[i].origin = row_of(sync, entries[i].origin);
	}
	err = fleet_lists__replace(sync->fleet, list, entries, desired->count);
	free(entries);
	return err;
}

static int take_steps(struct sync *sync, enum list list, struct steps *steps)
{
	size_t done = 0;

	for (size_t i = 0; i < steps->put_count; i++)
		steps->put[i].origin = row_of(sync, steps->put[i].origin);
	if (steps->put_count && fleet_lists__put(sync->fleet, list, steps->put, steps->put_count, &done) &&
	    errno != ENOSPC)
		return -1;
	if (steps->remove_count && fleet_lists__remove(sync->fleet, list, steps->remove, steps->remove_count))
		return -1;
	/* On a list that is full, what goes makes room for the rest. */
	return done < steps->put_count
		       ? fleet_lists__put(sync->fleet, list, steps->put + done, steps->put_count - done, NULL)
		       : 0;
}

static const char *name_of(enum list list)
{
	return list == LIST_ALLOW ? "allow" : "block";
}

/* In a dry run, in place of being done; `sync --dry-run` prints every change. */
static void print_steps(enum list list, const struct steps *steps)
{
	char text[PRINT_PREFIX_LEN];

	for (size_t i = 0; i < steps->put_count; i++)
		printf("+ %s %s\n", name_of(list), print_prefix(text, &steps->put[i].prefix));
	for (size_t i = 0; i < steps->remove_count; i++)
		printf("- %s %s\n", name_of(list), print_prefix(text, &steps->remove[i]));
	fflush(stdout);
}

/* By the source that holds the entry the longest; what goes, by the source that had it. */
static void count_steps(struct sync *sync, enum list list, const struct desired *held, const struct desired *desired)
{
	uint64_t now_ns = clock__now();
	size_t i = 0, j = 0;

	for (int order; (order = desired__order(held, i, desired, j)) != DESIRED_END;
	     i += order <= 0, j += order >= 0) {
		uint64_t until_ns = order <= 0 ? held->all[i].entry.until_ns : 0;

		if (order && list == LIST_BLOCK)
			sync->is_exported = false;
		if (order < 0)
			sync->steps[held->all[i].source]
				   [until_ns && until_ns <= now_ns ? FLEET_EXPIRED : FLEET_REMOVED]++;
		else if (order > 0)
			sync->steps[desired->all[j].source][FLEET_ADDED]++;
		else if (until_ns != desired->all[j].entry.until_ns)
			sync->steps[desired->all[j].source][FLEET_RENEWED]++;
	}
}

static int do_steps(struct sync *sync, enum list list, struct steps *steps, const struct desired *desired)
{
	if (sync->flags->dry_run)
		print_steps(list, steps);
	else if (sync->fleet)
		return sync->is_held_known[list] ? take_steps(sync, list, steps) : replace(sync, list, desired);
	return 0;
}

static int apply_list(struct sync *sync, enum list list)
{
	struct desired *held = &sync->held[list], desired = {};
	struct steps steps = {};
	int err = -1;

	errno = ENOMEM;
	if (find_desired(sync, list, &desired) || steps__find(&steps, held, &desired) ||
	    do_steps(sync, list, &steps, &desired)) {
		log_error("the fleet's %s list cannot be brought in step: %s; it is tried again", name_of(list),
			  strerror(errno));
		desired__free(&desired);
		sync->is_held_known[list] = false;
		goto cleanup;
	}
	count_steps(sync, list, held, &desired);
	desired__free(held);
	*held = desired;
	sync->is_held_known[list] = true;
	err = 0;
cleanup:
	steps__free(&steps);
	return err;
}

static void tell_full(struct sync *sync)
{
	uint64_t left_out = 0;

	for (size_t i = 0; i < sync->source_count; i++)
		left_out += sync->sources[i].rejected[FLEET_FULL];
	if (left_out && !sync->is_full_told)
		log_warn("%llu entries find no room; fix: a greater max-entries in [sync], or fewer origins",
			 (unsigned long long)left_out);
	sync->is_full_told = left_out != 0;
}

int sync__apply(struct sync *sync)
{
	int err = 0;

	for (enum list list = 0; list < LIST_MAX; list++)
		if (list == LIST_ALLOW || sync->protected.is_known)
			err |= apply_list(sync, list);
	sync->is_changed = err != 0;
	tell_full(sync);
	return err;
}
