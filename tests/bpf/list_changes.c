// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists that change: the filter's answer agrees with the entries at any time, also while its copies are built anew,
 * while one list replaces another, and where another process without rights writes; and it does not wear out.
 *
 * test: asan-slow kernels-quick
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/membarrier.h>

#include "kernel/lists.h"
#include "lib/filter_program.h"
#include "list_model.h"
#include "system/clock.h"

#define PROBES 4000
#define MANY   100000
#define NOBODY 65534

static struct filter small, large;
static struct frame frame;

static enum reason ask(const struct filter *filter, const struct addr *from)
{
	const struct explain_syn syn = {
		.from = *from, .to = some_address(is_v4(from)), .from_port = 1000, .port = 80, .ifindex = 0};
	struct explanation answer;

	assert_int_equal(explain__syn(programs__explain_fd(filter->programs), &syn, &answer), 0);
	return answer.reason;
}

static void probe(const char *when)
{
	for (int i = 0; i < PROBES; i++) {
		struct addr addr = some_address(i & 1);
		enum reason is = ask(&small, &addr), right = expected(&addr);

		if (is != right)
			fail_msg("%s: address %08x...%08x is given %s, not %s", when, ntohl(addr.words[0]),
				 ntohl(addr.words[3]), print_reason(is), print_reason(right));
	}
}

/* One entry more or less. */
static void change(struct model *m)
{
	if (m->on)
		filter_unlist(&small.own, m->list, &m->prefix);
	else
		filter_list(&small.own, m->list, &m->prefix, 0);
	m->on = !m->on;
}

static void the_entries_decide(void **state)
{
	(void)state;
	make_model();
	probe("empty");
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < PREFIXES; i++)
			if (next_random() & 1)
				change(&model[i]);
		probe("changed");
		run_pass(&small.own);
		probe("after a pass");
	}
	for (int i = 0; i < PREFIXES; i++)
		if (model[i].on)
			change(&model[i]);
	run_pass(&small.own);
	probe("empty again");
	assert_int_equal(small.own.control->levels[small.own.control->current], 0);
	assert_int_equal(list_set__count(&small.own, LIST_BLOCK) + list_set__count(&small.own, LIST_ALLOW), 0);
}

/* Keys as no command makes them, but the fleet's writer could: bits behind the length. */
static void odd_keys_stay_within_the_filter(void **state)
{
	const uint64_t *end = small.fleet.filter + LIST_COPIES * list_copy_words(small.fleet.words);
	struct prefix odd = {.words = {0, 0, htonl(0xffff), htonl(0xffffffff)}};
	const struct addr inside = {.words = {0, 0, htonl(0xffff), htonl(0x0a0100ff)}};

	(void)state;
	for (odd.prefixlen = 96; odd.prefixlen < 128; odd.prefixlen++) {
		filter_list(&small.fleet, LIST_BLOCK, &odd, 0);
		filter_unlist(&small.fleet, LIST_BLOCK, &odd);
	}
	for (const uint64_t *rest = end; (uintptr_t)rest % 4096; rest++)
		assert_true(*rest == 0);
	odd = (struct prefix){112, {0, 0, htonl(0xffff), htonl(0x0a010203)}};
	filter_list(&small.fleet, LIST_BLOCK, &odd, 0);
	assert_int_equal(ask(&small, &inside), REASON_FLEET_BLOCKED);
	filter_unlist(&small.fleet, LIST_BLOCK, &odd);
}

/* A second thread's work, until the first has seen enough. */
static struct {
	void (*work)(void);
	uint64_t turns;
	bool stop;
} other;

static void *work(void *unused)
{
	while (!__atomic_load_n(&other.stop, __ATOMIC_ACQUIRE)) {
		other.work();
		__atomic_fetch_add(&other.turns, 1, __ATOMIC_RELEASE);
	}
	return unused;
}

/* Packets of the blocked source 192.0.2.1 while `turns` turns of the work are done: all are dropped. */
static void drop_meanwhile(const struct filter *filter, void (*what)(void), uint64_t turns)
{
	uint64_t passed = 0, sent = 0;
	pthread_t thread;

	other.work = what;
	other.turns = 0;
	other.stop = false;
	frame_build(&frame, &(struct frame_spec){});
	assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
	for (; __atomic_load_n(&other.turns, __ATOMIC_ACQUIRE) < turns; sent++)
		passed += filter_run(filter, &frame, NULL) != XDP_DROP;
	__atomic_store_n(&other.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(passed, 0);
	assert_int_not_equal(sent, 0);
}

#define NEIGHBOURS 1000

/* Passes are seconds apart, in which packets that still look at the former copy are done with it; here, a grace period
 * of RCU. */
static void pass_and_change(void)
{
	struct prefix prefix = v4_prefix(0x0a000000 + next_random() % NEIGHBOURS, 32);
	struct list_entry entry;

	if (list_set__find(&small.own, LIST_BLOCK, &prefix, &entry))
		filter_unlist(&small.own, LIST_BLOCK, &prefix);
	else
		filter_list(&small.own, LIST_BLOCK, &prefix, 0);
	run_pass(&small.own);
	assert_int_equal(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
}

static void passes_hide_no_entry(void **state)
{
	const struct prefix host = v4_prefix(0xc0000201, 32);

	(void)state;
	filter_list(&small.own, LIST_BLOCK, &host, 0);
	drop_meanwhile(&small, pass_and_change, 100);
	filter_unlist(&small.own, LIST_BLOCK, &host);
	for (int i = 0; i < NEIGHBOURS; i++) {
		const struct prefix neighbour = v4_prefix(0x0a000000 + i, 32);

		list_set__take(&small.own, LIST_BLOCK, &neighbour);
	}
	assert_int_equal(list_set__count(&small.own, LIST_BLOCK), 0);
}

static struct prefix *hosts(uint32_t from, size_t count)
{
	struct prefix *all = malloc((count + 1) * sizeof(*all));

	assert_non_null(all);
	for (size_t i = 0; i < count; i++)
		all[i] = v4_prefix(from + i * 2654435761U % 0x0e000000, 32);
	return all;
}

/* Full lists that have nothing but one source in common, in turns. */
static struct {
	struct prefix *all[2];
	unsigned turn;
	size_t fewest;
} full;

static void replace_list(void)
{
	const struct list_wish wish = {.prefixes = {full.all[full.turn++ % 2], LIST_ENTRIES_MIN}};

	assert_int_equal(lists__sync(&small.own, LIST_BLOCK, &wish), 0);
}

static void watch_count(void)
{
	size_t count = list_set__count(&small.own, LIST_BLOCK);

	if (count < full.fewest)
		full.fewest = count;
}

static void no_list_is_seen_half_filled(void **state)
{
	const struct list_wish none = {};
	pthread_t thread;

	(void)state;
	assert_int_equal(lists__sync(&small.own, LIST_BLOCK, &none), 0);
	for (int i = 0; i < 2; i++) {
		full.all[i] = hosts(0x0a000000 + (i << 28), LIST_ENTRIES_MIN - 1);
		full.all[i][LIST_ENTRIES_MIN - 1] = v4_prefix(0xc0000201, 32);
	}
	replace_list();
	drop_meanwhile(&small, replace_list, 20);
	full.fewest = SIZE_MAX;
	other.work = watch_count;
	other.stop = false;
	assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
	for (int i = 0; i < 20; i++)
		replace_list();
	__atomic_store_n(&other.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(full.fewest, LIST_ENTRIES_MIN);
	assert_int_equal(lists__sync(&small.own, LIST_BLOCK, &none), 0);
	for (int i = 0; i < 2; i++)
		free(full.all[i]);
}

/* Of addresses on no list, how many in 10,000 the copy in force cannot rule out for hosts on the block list. */
static unsigned false_maybes(const struct list_set *set)
{
	const uint64_t *copy = set->filter + set->control->current * list_copy_words(set->words);
	unsigned count = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t hash = list_hash(list_fine_v4(0xf0000000 | next_random()), set->control->seed);
		uint64_t bits = list_bit(hash) | list_bits_of(list_bits(hash), LIST_HOSTS, LIST_BLOCK);

		count += list_has(copy[list_word_at(hash, set->words)], bits);
	}
	return count / 100;
}

static void the_filter_does_not_wear_out(void **state)
{
	const struct list_wish none = {};
	unsigned first = 0, last = 0;
	uint64_t begin, took;

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct prefix *all = hosts(0x0a000000 + (round << 26), MANY);
		const struct list_wish wish = {.prefixes = {all, MANY}};

		begin = filter_clock();
		assert_int_equal(lists__sync(&large.own, LIST_BLOCK, &wish), 0);
		took = filter_clock() - begin;
		print_message("# round %d: %lu ms\n", round, (unsigned long)(took / 1000000));
		run_pass(&large.own);
		assert_int_equal(list_set__count(&large.own, LIST_BLOCK), MANY);
		last = false_maybes(&large.own);
		first = first ?: last;
		free(all);
	}
	print_message("# of 10,000 addresses on no list, at first %u may be on it, and at last %u\n", first, last);
	assert_in_range(last, 0, 250);
	assert_in_range(last, 0, first * 2);
	assert_int_equal(lists__sync(&large.own, LIST_BLOCK, &none), 0);
	run_pass(&large.own);
	assert_int_equal(large.own.control->levels[large.own.control->current], 0);
}

/* As `sync` does: what was opened with rights is written without any. */
static int write_without_rights(void)
{
	const struct prefix host = v4_prefix(0xc0000201, 32), range = v4_prefix(0xc0000300, 24);
	const struct list_entry entry = {.prefixlen = 128}, wide = {.prefixlen = 120};

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	if (bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 4, 1, NULL) >= 0)
		return 2;
	if (list_set__put(&small.fleet, LIST_BLOCK, &host, &entry, true) ||
	    list_set__put(&small.fleet, LIST_ALLOW, &range, &wide, true))
		return 3;
	return list_set__take(&small.fleet, LIST_ALLOW, &range) ? 4 : 0;
}

static void written_without_rights(void **state)
{
	const struct prefix host = v4_prefix(0xc0000201, 32);
	int status;
	pid_t pid;

	(void)state;
	frame_build(&frame, &(struct frame_spec){});
	assert_true(filter_expect(&small, "before", &frame, REASON_SYN));
	pid = fork();
	if (!pid)
		_exit(write_without_rights());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(filter_expect(&small, "after", &frame, REASON_FLEET_BLOCKED));
	filter_unlist(&small.fleet, LIST_BLOCK, &host);
}

static int load(void **state)
{
	(void)state;
	filter_load(&small, &(struct run_options){.max_entries = LIST_ENTRIES_MIN, .fleet_entries = LIST_ENTRIES_MIN});
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
		cmocka_unit_test(the_entries_decide),		cmocka_unit_test(odd_keys_stay_within_the_filter),
		cmocka_unit_test(passes_hide_no_entry),		cmocka_unit_test(no_list_is_seen_half_filled),
		cmocka_unit_test(the_filter_does_not_wear_out), cmocka_unit_test(written_without_rights),
	};

	return cmocka_run_group_tests_name("list_changes", tests, load, unload);
}
