// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks of a set's maps in parts, which sweep and build the filter anew.
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
#define RESTARTS 32

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
				   .changes = __atomic_load_n(&set->control->changes, __ATOMIC_ACQUIRE),
				   .next_ns = now + (entries / PART + 1) * PAUSE_NS};
	list_filter__clear(set, spare(set));
}

/* What stays is counted, and has its bits. */
static void keep(const struct list_set *set, struct list_pass *pass, enum list list, enum list_kind kind,
		 const struct prefix *prefix)
{
	list_filter__add(set, spare(set), list, prefix);
	pass->counts[list][kind]++;
}

/* Another process may have renewed it meanwhile. */
static void expire(const struct list_set *set, struct list_pass *pass, enum list list, enum list_kind kind,
		   const struct prefix *prefix, uint64_t now)
{
	if (list_set__expire(set, list, prefix, now))
		pass->changes += LIST_CHANGE;
	else
		keep(set, pass, list, kind, prefix);
}

static void look_at(const struct list_set *set, struct list_pass *pass, enum list list, enum list_kind kind,
		    const struct list_batch *batch, uint64_t now)
{
	if (pass->holds)
		expire(set, pass, list, kind, &pass->held, now);
	pass->holds = false;
	for (__u32 i = 0; i < batch->count; i++) {
		const struct prefix *key = &batch->keys[i];
		uint64_t end = list_set__end(key, &batch->entries[i]);

		if (!list_batch__is_whole(batch, i))
			continue;
		if (!end || end > now) {
			keep(set, pass, list, kind, key);
			if (end && (!pass->expires_ns || end < pass->expires_ns))
				pass->expires_ns = end;
		} else if (kind == LIST_HOSTS || i + 1 < batch->count || batch->last) {
			expire(set, pass, list, kind, key, now);
		} else {
			pass->held = *key;
			pass->holds = true;
		}
	}
}

/* Changes that others make meanwhile are not lost. */
static void correct(uint32_t *count, uint32_t was, uint32_t right)
{
	uint32_t now = __atomic_load_n(count, __ATOMIC_RELAXED), next;

	do
		next = was > right && now < was - right ? 0 : now + (right - was);
	while (!__atomic_compare_exchange_n(count, &now, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/* Counts that missed a change, by a process that was killed, are put right where nothing else changed meanwhile. */
static void correct_counts(const struct list_set *set, const struct list_pass *pass)
{
	struct list_control *control = set->control;
	uint32_t was[LIST_MAX][LIST_KINDS];

	for (enum list list = 0; list < LIST_MAX; list++)
		for (enum list_kind kind = 0; kind < LIST_KINDS; kind++)
			was[list][kind] = __atomic_load_n(&control->counts[list][kind], __ATOMIC_ACQUIRE);
	if (pass->restarts || __atomic_load_n(&control->changes, __ATOMIC_ACQUIRE) != pass->changes)
		return;
	for (enum list list = 0; list < LIST_MAX; list++)
		for (enum list_kind kind = 0; kind < LIST_KINDS; kind++)
			correct(&control->counts[list][kind], was[list][kind], pass->counts[list][kind]);
}

/* The copy is whole: from now on it answers. */
static void end(const struct list_set *set, struct list_pass *pass)
{
	struct list_control *control = set->control;

	correct_counts(set, pass);
	__atomic_store_n(&control->current, spare(set), __ATOMIC_RELEASE);
	__atomic_fetch_add(&control->passes, 1, __ATOMIC_RELAXED);
	pass->stage = 0;
}

/* Nothing is put in force; the next pass begins at its time. */
static void give_up(struct list_pass *pass)
{
	pass->stage = 0;
	pass->changes--;
}

/* Another process removed what the walk of this map was to go on from. */
static void start_over(struct list_pass *pass, enum list list, enum list_kind kind)
{
	pass->place = (struct list_place){};
	pass->holds = false;
	pass->counts[list][kind] = 0;
	if (++pass->restarts == RESTARTS)
		give_up(pass);
}

/* One batch. Returns the entries that it had, or -1 with errno. */
static int go_on(const struct list_set *set, struct list_pass *pass, struct list_batch *batch, uint64_t now)
{
	enum list_kind kind = (pass->stage - 1) / LIST_MAX;
	enum list list = (pass->stage - 1) % LIST_MAX;

	if (list_batch__read(batch, set, list, kind, &pass->place)) {
		if (errno != EAGAIN)
			return -1;
		start_over(pass, list, kind);
		return LIST_BATCH;
	}
	look_at(set, pass, list, kind, batch, now);
	if (batch->last)
		pass->place = (struct list_place){};
	pass->stage += batch->last;
	if (pass->stage > LIST_KINDS * LIST_MAX)
		end(set, pass);
	return batch->count;
}

int list_set__tend(const struct list_set *set, struct list_pass *pass, uint64_t now)
{
	struct list_batch *batch;
	int seen = 0, count = 0;

	if (!pass->stage && !is_due(set, pass, now))
		return 0;
	batch = malloc(sizeof(*batch));
	if (!batch)
		return -1;
	if (!pass->stage)
		begin(set, pass, now);
	for (; pass->stage && seen < PART && count >= 0; seen += count < 0 ? 0 : count)
		count = go_on(set, pass, batch, now);
	if (count < 0) {
		log_error("cannot sweep the lists: %s", strerror(errno));
		give_up(pass);
	}
	free(batch);
	return count < 0 ? -1 : 0;
}
