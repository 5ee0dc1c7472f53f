// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes over the lists: they sweep what has run out and nothing else, and build a filter that knows all the rest, also
 * where other processes change the lists meanwhile.
 *
 * test: asan-slow kernels-quick
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/list_set.h"
#include "lib/filter_program.h"
#include "lib/list_passes.h"
#include "system/clock.h"

static struct filter small, large;

#define MINUTE_NS (60 * NS_PER_S)

/* What has run out is swept by a pass, and only that; a range, a minute later. */
static void a_pass_sweeps(void **state)
{
	const struct prefix over = v4_prefix(0xcb007101, 32), over_range = v4_prefix(0xcb007200, 24),
			    lives = v4_prefix(0xcb007301, 32);
	struct list_entry entry;

	(void)state;
	filter_list(&small.own, LIST_BLOCK, &over, 1);
	filter_list(&small.own, LIST_ALLOW, &over_range, 1);
	filter_list(&small.own, LIST_BLOCK, &lives, filter_clock() + 3600 * NS_PER_S);
	run_pass_at(&small.own, MINUTE_NS);
	assert_false(list_set__find(&small.own, LIST_BLOCK, &over, &entry));
	assert_true(list_set__find(&small.own, LIST_ALLOW, &over_range, &entry));
	assert_int_equal(list_set__count(&small.own, LIST_ALLOW), 1);
	run_pass_at(&small.own, MINUTE_NS + 1);
	assert_false(list_set__find(&small.own, LIST_ALLOW, &over_range, &entry));
	assert_true(list_set__find(&small.own, LIST_BLOCK, &lives, &entry));
	assert_int_equal(list_set__count(&small.own, LIST_BLOCK), 1);
	assert_int_equal(list_set__count(&small.own, LIST_ALLOW), 0);
	filter_unlist(&small.own, LIST_BLOCK, &lives);
}

/* Whether the copy in force lets packets ask for the prefix. */
static bool may_be_listed(const struct list_set *set, const struct prefix *prefix, enum list_kind kind)
{
	const uint64_t *copy = set->filter + set->control->current * list_copy_words(set->words);
	uint64_t hash = list_hash(list_fine_v4(ntohl(prefix->words[3])), set->control->seed);

	return list_has(copy[list_word_at(hash, set->words)],
			list_bit(hash) | list_bits_of(list_bits(hash), kind, LIST_BLOCK));
}

static void take_all(const struct list_set *set, uint32_t from, unsigned length, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct prefix prefix = v4_prefix(from + (uint32_t)((uint64_t)i << (32 - length)), length);

		list_set__take(set, LIST_BLOCK, &prefix);
	}
	assert_int_equal(list_set__count(set, LIST_BLOCK), 0);
}

#define SIBLINGS 600 /* more than a batch; every other one expired, so that the walk's place is one once */

static void siblings_outlive_the_expired(void **state)
{
	struct list_entry entry;

	(void)state;
	for (unsigned odd = 0; odd < 2; odd++) {
		for (unsigned i = 0; i < SIBLINGS; i++) {
			const struct prefix prefix = v4_prefix(0x0a000000 + (i << 8), 24);

			filter_list(&small.own, LIST_BLOCK, &prefix, i % 2 == odd ? 1 : 0);
		}
		run_pass_at(&small.own, 2 * MINUTE_NS);
		assert_int_equal(list_set__count(&small.own, LIST_BLOCK), SIBLINGS / 2);
		for (unsigned i = 0; i < SIBLINGS; i++) {
			const struct prefix prefix = v4_prefix(0x0a000000 + (i << 8), 24);
			bool lives = i % 2 != odd;

			assert_int_equal(list_set__find(&small.own, LIST_BLOCK, &prefix, &entry), lives);
			if (lives)
				assert_true(may_be_listed(&small.own, &prefix, LIST_RANGES));
		}
		take_all(&small.own, 0x0a000000, 24, SIBLINGS);
	}
}

#define RANGES 40000 /* more than a call looks at */

/* A pass that is under way while other processes change what it walks. */
static void a_pass_is_overtaken(void **state)
{
	const struct prefix late = v4_prefix(0xc0000200, 24);
	struct list_pass pass = {.changes = UINT64_MAX};
	struct prefix place;

	(void)state;
	for (unsigned i = 0; i < RANGES; i++) {
		const struct prefix prefix = v4_prefix(0x0a000000 + (i << 8), 24);

		filter_list(&large.own, LIST_BLOCK, &prefix, 0);
	}
	while (pass.stage != 1 + LIST_RANGES * LIST_MAX + LIST_BLOCK || !pass.place.started)
		assert_int_equal(list_set__tend(&large.own, &pass, filter_clock()), 0);
	place = pass.place.key;
	filter_unlist(&large.own, LIST_BLOCK, &place);
	filter_list(&large.own, LIST_BLOCK, &late, 0);
	finish_pass(&large.own, &pass, filter_clock());
	for (unsigned i = 0; i < RANGES; i++) {
		const struct prefix prefix = v4_prefix(0x0a000000 + (i << 8), 24);

		assert_true(may_be_listed(&large.own, &prefix, LIST_RANGES) || !memcmp(&prefix, &place, sizeof(place)));
	}
	assert_true(may_be_listed(&large.own, &late, LIST_RANGES));
	assert_int_equal(pass.restarts, 1);
	assert_int_equal(list_set__count(&large.own, LIST_BLOCK), RANGES);
	filter_unlist(&large.own, LIST_BLOCK, &late);
	take_all(&large.own, 0x0a000000, 24, RANGES);
}

static struct prefix renewed;

static struct {
	uint64_t turns;
	bool stop;
} sweeper;

static void *sweep(void *unused)
{
	while (!__atomic_load_n(&sweeper.stop, __ATOMIC_ACQUIRE)) {
		list_set__expire(&small.own, LIST_BLOCK, &renewed, filter_clock());
		__atomic_fetch_add(&sweeper.turns, 1, __ATOMIC_RELEASE);
	}
	return unused;
}

static void await_sweeps(uint64_t turns)
{
	uint64_t from = __atomic_load_n(&sweeper.turns, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&sweeper.turns, __ATOMIC_ACQUIRE) < from + turns)
		sched_yield();
}

#define RENEWALS 3000

/* An entry that has run out is renewed just when it is swept. */
static void a_renewed_host_stays(void **state)
{
	struct list_entry entry;
	pthread_t thread;
	unsigned lost = 0;

	(void)state;
	renewed = v4_prefix(0xc0000201, 32);
	assert_int_equal(pthread_create(&thread, NULL, sweep, NULL), 0);
	for (unsigned i = 0; i < RENEWALS; i++) {
		filter_list(&small.own, LIST_BLOCK, &renewed, 1);
		filter_list(&small.own, LIST_BLOCK, &renewed, 0);
		await_sweeps(2);
		lost += !list_set__find(&small.own, LIST_BLOCK, &renewed, &entry);
	}
	__atomic_store_n(&sweeper.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(lost, 0);
	filter_unlist(&small.own, LIST_BLOCK, &renewed);
	run_pass(&small.own); /* counts that missed an entry are put right */
	assert_int_equal(list_set__count(&small.own, LIST_BLOCK), 0);
}

static int load(void **state)
{
	(void)state;
	filter_load(&small, &(struct run_options){.max_entries = LIST_ENTRIES_MIN});
	filter_load(&large, &(struct run_options){.max_entries = LIST_ENTRIES_FLEET});
	return 0;
}

static int unload(void **state)
{
	(void)state;
	filter_free(&small);
	filter_free(&large);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_sweeps),
		cmocka_unit_test(siblings_outlive_the_expired),
		cmocka_unit_test(a_pass_is_overtaken),
		cmocka_unit_test(a_renewed_host_stays),
	};

	return cmocka_run_group_tests_name("list_passes", tests, load, unload);
}
