// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks of a set's maps: whole ones, and those in parts that sweep and build the filter anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/list_filter.h"
#include "kernel/list_set.h"
#include "system/clock.h"
#include "text/log.h"

#define PART	 32768 /* entries that one call looks at; some milliseconds */
#define PAUSE_NS (10 * NS_PER_S)

static int walk_map(const struct list_set *set, enum list list, enum list_kind kind, struct list_batch *batch,
		    lists_found found, void *context)
{
	struct prefix token = {};
	bool first = true;

	do {
		if (list_batch__read(batch, set, list, kind, &token, first))
			return -1;
		first = false;
		for (__u32 i = 0; i < batch->count; i++)
			if (batch->entries[i].prefixlen == batch->keys[i].prefixlen)
				found(context, &batch->keys[i], &batch->entries[i]);
	} while (!batch->last);
	return 0;
}

int list_set__walk(const struct list_set *set, enum list list, lists_found found, void *context)
{
	struct list_batch *batch = malloc(sizeof(*batch));
	int ret = batch ? 0 : -1;

	for (enum list_kind kind = 0; kind < LIST_KINDS && !ret; kind++)
		if (set->maps[list][kind] >= 0)
			ret = walk_map(set, list, kind, batch, found, context);
	if (ret)
		log_error("cannot read the list: %s", strerror(errno));
	free(batch);
	return ret;
}

static unsigned spare(const struct list_set *set)
{
	return !__atomic_load_n(&set->control->current, __ATOMIC_RELAXED);
}

static bool is_due(const struct list_set *set, const struct list_pass *pass, uint64_t now)
{
	return now >= pass->next_ns && (__atomic_load_n(&set->control->changes, __ATOMIC_ACQUIRE) != pass->changes ||
					(pass->expires_ns && pass->expires_ns <= now));
}

/* The spare copy was in force until the last pass, which packets have long forgotten. */
static void begin(const struct list_set *set, struct list_pass *pass, uint64_t now)
{
	size_t entries = list_set__count(set, LIST_ALLOW) + list_set__count(set, LIST_BLOCK);

	*pass = (struct list_pass){.stage = 1,
				   .first = true,
				   .changes = __atomic_load_n(&set->control->changes, __ATOMIC_ACQUIRE),
				   .next_ns = now + (entries / PART + 1) * PAUSE_NS};
	list_filter__clear(set, spare(set));
}

/* Expired entries, which go once their map is walked: a trie's walk goes on from the last key that it found. */
static int note_expired(struct list_pass *pass, const struct prefix *prefix)
{
	size_t room = pass->expired_room * 2 ?: 64;
	struct prefix *more;

	if (pass->expired_count == pass->expired_room) {
		more = reallocarray(pass->expired, room, sizeof(*more));
		if (!more)
			return -1;
		pass->expired = more;
		pass->expired_room = room;
	}
	pass->expired[pass->expired_count++] = *prefix;
	return 0;
}

/* A command may have put it back meanwhile. */
static void remove_expired(const struct list_set *set, struct list_pass *pass, enum list list, uint64_t now)
{
	for (size_t i = 0; i < pass->expired_count; i++) {
		const struct prefix *prefix = &pass->expired[i];
		struct list_entry entry;

		if (list_set__find(set, list, prefix, &entry) && entry.expires_ns && entry.expires_ns <= now &&
		    list_set__take(set, list, prefix) == 0)
			pass->changes++;
	}
	pass->expired_count = 0;
}

static int look_at(const struct list_set *set, struct list_pass *pass, enum list list, enum list_kind kind,
		   const struct list_batch *batch, uint64_t now)
{
	for (__u32 i = 0; i < batch->count; i++) {
		uint64_t end = batch->entries[i].expires_ns;

		if (batch->entries[i].prefixlen != batch->keys[i].prefixlen)
			continue;
		if (end && end <= now) {
			if (note_expired(pass, &batch->keys[i]))
				return -1;
			continue;
		}
		if (end && (!pass->expires_ns || end < pass->expires_ns))
			pass->expires_ns = end;
		pass->counts[list][kind]++;
		list_filter__add(set, spare(set), list, &batch->keys[i]);
	}
	return 0;
}

/* The copy is whole: from now on it answers. Counts that missed a change, by a process that was killed, are put right
 * where nothing else changed meanwhile. */
static void end(const struct list_set *set, struct list_pass *pass)
{
	struct list_control *control = set->control;

	if (__atomic_load_n(&control->changes, __ATOMIC_ACQUIRE) == pass->changes)
		memcpy(control->counts, pass->counts, sizeof(control->counts));
	__atomic_store_n(&control->current, spare(set), __ATOMIC_RELEASE);
	__atomic_fetch_add(&control->passes, 1, __ATOMIC_RELAXED);
	pass->stage = 0;
	free(pass->expired);
	pass->expired = NULL;
	pass->expired_room = 0;
}

static uint64_t removals_of(const struct list_set *set)
{
	return __atomic_load_n(&set->control->removals, __ATOMIC_SEQ_CST);
}

/*
 * One batch of a hash; of a trie all, as one from which something is taken meanwhile may skip other entries (before
 * Linux 6.13) or show them again: then -1 with EAGAIN. Returns how many entries there were, or -1 with errno.
 */
static int read_part(const struct list_set *set, struct list_pass *pass, struct list_batch *batch, uint64_t now)
{
	enum list_kind kind = (pass->stage - 1) / LIST_MAX;
	enum list list = (pass->stage - 1) % LIST_MAX;
	uint64_t removals = removals_of(set);
	int seen = 0;

	do {
		if (list_batch__read(batch, set, list, kind, &pass->token, pass->first) ||
		    look_at(set, pass, list, kind, batch, now))
			return -1;
		pass->first = batch->last;
		seen += batch->count;
	} while (kind == LIST_RANGES && !batch->last);
	if (kind == LIST_RANGES && removals_of(set) != removals) {
		errno = EAGAIN;
		return -1;
	}
	return seen;
}

static int go_on(const struct list_set *set, struct list_pass *pass, struct list_batch *batch, uint64_t now)
{
	int seen = read_part(set, pass, batch, now);

	if (seen < 0 || !batch->last)
		return seen;
	remove_expired(set, pass, (pass->stage - 1) % LIST_MAX, now);
	pass->stage++;
	if (pass->stage > LIST_KINDS * LIST_MAX)
		end(set, pass);
	return seen;
}

/* The spare copy is not put in force; the next pass begins soon. */
static int give_up(struct list_pass *pass, uint64_t now)
{
	bool again = errno == EAGAIN;

	if (!again)
		log_error("cannot sweep the lists: %s", strerror(errno));
	free(pass->expired);
	*pass = (struct list_pass){.changes = pass->changes - 1, .next_ns = again ? now : pass->next_ns};
	return again ? 0 : -1;
}

int list_set__tend(const struct list_set *set, struct list_pass *pass)
{
	struct list_batch *batch;
	uint64_t now = clock__now();
	int seen = 0, count = 0;

	if (!pass->stage && !is_due(set, pass, now))
		return 0;
	batch = malloc(sizeof(*batch));
	if (!batch)
		return -1;
	if (!pass->stage)
		begin(set, pass, now);
	for (; pass->stage && seen < PART && count >= 0; seen += count)
		count = go_on(set, pass, batch, now);
	free(batch);
	return count < 0 ? give_up(pass, now) : 0;
}
