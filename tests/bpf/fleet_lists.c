// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fleet's lists as `sync` changes them: by their pins, with no other map, by entries that it may get wrong; and
 * what a process that has only their maps can do to the filter.
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
#include <unistd.h>

#include <cmocka.h>

#include "kernel/fleet_lists.h"
#include "kernel/pins.h"
#include "lib/filter_program.h"
#include "system/clock.h"

static struct filter filters[2]; /* of one `run`, and of the next */
static struct pins pins;
static struct fleet_lists *lists;
static struct frame frame; /* from 192.0.2.1 */

static struct prefix prefix_of(const char *cidr)
{
	struct prefix prefix;
	const char *why;

	assert_int_equal(parse_cidr(cidr, &prefix, &why), 0);
	return prefix;
}

static void pin(const struct filter *filter)
{
	assert_int_equal(pins__put(pins.path, "meta", filter->maps->meta), 0);
#define X(name) assert_int_equal(pins__put(pins.path, #name, filter->maps->name), 0);
	FLEET_MAPS(X)
#undef X
}

static void load(struct filter *filter)
{
	struct meta meta = {.layout = LAYOUT_VERSION, .netns_cookie = pins__netns_cookie()};

	filter_load(filter, &(struct run_options){.max_entries = LIST_ENTRIES_MIN, .fleet_entries = LIST_ENTRIES_MIN});
	assert_int_equal(bpf_map_update_elem(filter->maps->meta, &(uint32_t){0}, &meta, BPF_ANY), 0);
	pins__name_fleet(filter->maps, filter->fleet.control);
}

static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	frame_build(&frame, &(struct frame_spec){});
	load(&filters[0]);
	load(&filters[1]);
	assert_int_equal(pins__open(&pins, true, NULL), 0);
	assert_int_equal(pins__lock(&pins), 0);
	pin(&filters[0]);
	assert_int_equal(fleet_lists__open(&lists, true), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fleet_lists__close(lists);
	filter_free(&filters[0]);
	filter_free(&filters[1]);
	pins__remove(&pins);
	pins__close(&pins);
	return 0;
}

/* Descriptors of maps: this process has those of two filters besides. */
static unsigned maps_open(void)
{
	unsigned count = 0;
	char path[32], to[64];

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, to, sizeof(to) - 1);
		to[len < 0 ? 0 : len] = '\0';
		count += strstr(to, "bpf-map") != NULL;
	}
	return count;
}

static void only_its_maps_are_open(void **state)
{
	unsigned before = maps_open();
	struct fleet_lists *other;
	struct maps maps;

	(void)state;
	assert_int_equal(fleet_lists__open(&other, true), 0);
	assert_int_equal(maps_open(), before + 8);
	fleet_lists__close(other);
	assert_int_equal(pins__fleet(&pins, &maps, false), 0);
	assert_int_equal(bpf_map_delete_elem(maps.fleet_block_ips, &(struct addr){}), -EPERM);
	pins__close_maps(&maps);
	assert_int_equal(maps_open(), before);
}

static void put(enum list list, const char *cidr, uint64_t until_ns, uint32_t origin)
{
	const struct fleet_entry entry = {prefix_of(cidr), until_ns, origin};

	assert_int_equal(fleet_lists__put(lists, list, &entry, 1, NULL), 0);
}

static size_t size(enum list list)
{
	return fleet_lists__size(lists, list).entries;
}

static void take_all(void)
{
	for (enum list list = 0; list < LIST_MAX; list++) {
		assert_int_equal(fleet_lists__replace(lists, list, NULL, 0), 0);
		assert_int_equal(size(list), 0);
	}
}

static void entries_are_put_and_removed(void **state)
{
	const struct prefix both[] = {prefix_of("192.0.2.1"), prefix_of("203.0.113.0/24")};
	struct fleet_entry entry;

	(void)state;
	put(LIST_BLOCK, "192.0.2.0/24", 0, 7);
	put(LIST_BLOCK, "192.0.2.1", 1000, 8);
	assert_int_equal(size(LIST_BLOCK), 2);
	put(LIST_BLOCK, "192.0.2.1", 0, 9);
	assert_int_equal(size(LIST_BLOCK), 2);
	assert_true(fleet_lists__find(lists, LIST_BLOCK, &both[0], &entry));
	assert_int_equal(entry.origin, 9);
	assert_int_equal(entry.until_ns, 0);
	assert_true(filter_expect(&filters[0], "listed", &frame, REASON_FLEET_BLOCKED));
	assert_int_equal(fleet_lists__remove(lists, LIST_BLOCK, both, 2), 0);
	assert_false(fleet_lists__find(lists, LIST_BLOCK, &both[0], &entry));
	assert_true(filter_expect(&filters[0], "by its range", &frame, REASON_FLEET_BLOCKED));
	put(LIST_ALLOW, "192.0.2.1", 0, 0);
	assert_true(filter_expect(&filters[0], "on both", &frame, REASON_FLEET_ALLOWED));
	take_all();
	assert_true(filter_expect(&filters[0], "on none", &frame, REASON_SYN));
}

/* The map has the entry, but what put it was killed before the filter had: putting it once more heals that. */
static void putting_it_again_heals(void **state)
{
	const struct list_set *set = &filters[0].fleet;

	(void)state;
	put(LIST_BLOCK, "192.0.2.1", 0, 3);
	memset(set->filter, 0, set->filter_size);
	assert_true(filter_expect(&filters[0], "forgotten", &frame, REASON_SYN));
	put(LIST_BLOCK, "192.0.2.1", 0, 3);
	assert_true(filter_expect(&filters[0], "put again", &frame, REASON_FLEET_BLOCKED));
	take_all();
}

/* A process that is killed between has announced the change: a pass is due. */
static void a_change_is_announced(void **state)
{
	const struct list_set *set = &filters[0].fleet;
	const struct prefix prefix = prefix_of("192.0.2.1");
	uint64_t changes = set->control->changes;
	struct list_set broken = *set;

	(void)state;
	broken.maps[LIST_BLOCK][LIST_HOSTS] = -1;
	assert_int_equal(list_set__put(&broken, LIST_BLOCK, &prefix, &(struct list_entry){}, true), -1);
	assert_int_equal(set->control->changes, changes + 1);
	assert_int_equal(list_set__take(&broken, LIST_BLOCK, &prefix), -1);
	assert_int_equal(set->control->changes, changes + 2);
}

static void wrong_entries_are_refused(void **state)
{
	struct fleet_entry all[LIST_ENTRIES_MIN + 1], wrong = {prefix_of("10.0.0.0/8"), 0, 0};
	size_t done;

	(void)state;
	wrong.prefix.words[3] |= htonl(1);
	for (unsigned i = 0; i <= LIST_ENTRIES_MIN; i++)
		all[i] = (struct fleet_entry){{128, {0, 0, htonl(0xffff), htonl(0x0a000000 + i)}}, 0, 0};
	assert_int_equal(fleet_lists__replace(lists, LIST_BLOCK, all, LIST_ENTRIES_MIN + 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(size(LIST_BLOCK), 0);
	assert_int_equal(fleet_lists__put(lists, LIST_BLOCK, all, LIST_ENTRIES_MIN + 1, &done), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(done, LIST_ENTRIES_MIN);
	assert_int_equal(size(LIST_BLOCK), LIST_ENTRIES_MIN);
	assert_int_equal(fleet_lists__replace(lists, LIST_BLOCK, &wrong, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(size(LIST_BLOCK), LIST_ENTRIES_MIN);
	all[0] = (struct fleet_entry){prefix_of("192.0.2.0/24"), 0, 0};
	assert_int_equal(fleet_lists__replace(lists, LIST_BLOCK, all, LIST_ENTRIES_MIN), 0);
	assert_int_equal(size(LIST_BLOCK), LIST_ENTRIES_MIN);
	assert_true(filter_expect(&filters[0], "in the new list", &frame, REASON_FLEET_BLOCKED));
	take_all();
	wrong.prefix.prefixlen = 200;
	assert_int_equal(fleet_lists__put(lists, LIST_BLOCK, &wrong, 1, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(size(LIST_BLOCK), 0);
}

static void count_entry(void *context, const struct fleet_entry *entry)
{
	(void)entry;
	++*(unsigned *)context;
}

static void each_entry_that_holds_is_told(void **state)
{
	unsigned count = 0;

	(void)state;
	put(LIST_BLOCK, "192.0.2.1", 1, 0);
	put(LIST_BLOCK, "192.0.2.0/24", 0, 0);
	put(LIST_BLOCK, "2001:db8::/32", filter_clock() + 3600 * NS_PER_S, 0);
	put(LIST_ALLOW, "192.0.2.7", 0, 0);
	assert_int_equal(fleet_lists__each(lists, LIST_BLOCK, count_entry, &count), 0);
	assert_int_equal(count, 2);
	take_all();
}

static void origins_have_rows(void **state)
{
	const struct fleet_origin one = {"crowdsec", "CAPI", "ssh-bf"}, two = {"crowdsec", "CAPI", "http"};
	struct fleet_origin told;

	(void)state;
	assert_int_equal(fleet_lists__row(lists, &one), 1);
	assert_int_equal(fleet_lists__row(lists, &two), 2);
	assert_int_equal(fleet_lists__row(lists, &one), 1);
	assert_int_equal(fleet_lists__origin(lists, 2, &told), 0);
	assert_string_equal(told.scenario, "http");
	assert_int_equal(fleet_lists__origin(lists, FLEET_ORIGINS, &told), -1);
}

/* What `sync` would not write, but a process that took it over could. */
static void no_entry_reaches_other_memory(void **state)
{
	const struct list_set *set = &filters[0].fleet;
	const struct prefix hostile = {96, {0, 0, htonl(0xffff), ~0U}},
			    wild = {112, {0, 0, htonl(0xffff), htonl(0xc0000909)}};
	const struct list_entry all = {.prefixlen = 96}, some = {.prefixlen = 112};
	size_t size = list_copy_words(set->words) * sizeof(*set->filter);
	uint64_t *after = set->filter + list_copy_words(set->words), *before = malloc(size);
	struct list_pass pass = {.changes = UINT64_MAX};

	(void)state;
	assert_non_null(before);
	memset(set->control->levels, 0, sizeof(set->control->levels));
	set->control->current = 1;
	memset(set->filter, 0, size);
	memset(after, 0x55, size);
	memcpy(before, after, size);
	assert_int_equal(bpf_map_update_elem(set->maps[LIST_BLOCK][LIST_RANGES], &wild, &some, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(set->maps[LIST_ALLOW][LIST_RANGES], &hostile, &all, BPF_ANY), 0);
	assert_int_equal(list_set__tend(set, &pass, filter_clock()), 0);
	assert_memory_equal(before, after, size);
	assert_int_equal(set->control->current, 0);
	assert_true(filter_expect(&filters[0], "within all of IPv4", &frame, REASON_FLEET_ALLOWED));
	assert_int_equal(bpf_map_delete_elem(set->maps[LIST_ALLOW][LIST_RANGES], &hostile), 0);
	assert_true(filter_expect(&filters[0], "within the /16", &frame, REASON_FLEET_BLOCKED));
	assert_int_equal(bpf_map_delete_elem(set->maps[LIST_BLOCK][LIST_RANGES], &wild), 0);
	memset(set->filter, 0, set->filter_size);
	memset(set->control->counts, 0, sizeof(set->control->counts));
	free(before);
}

static uint32_t id_of(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

/* Of which filter all of these are; fails where they are of both. */
static unsigned whose(const struct maps *maps)
{
	unsigned which = id_of(maps->fleet_control) == id_of(filters[1].maps->fleet_control);

#define X(name) assert_int_equal(id_of(maps->name), id_of(filters[which].maps->name));
	FLEET_MAPS(X)
#undef X
	return which;
}

static void *pin_next(void *unused)
{
	pin(&filters[1]);
	return unused;
}

#define STARTS 200

/* Each start replaces the pins one after another. */
static void all_are_of_one_run(void **state)
{
	struct maps maps;
	bool next;

	(void)state;
	for (unsigned i = 0; i < STARTS; i++) {
		pthread_t thread;

		pin(&filters[0]);
		assert_int_equal(pthread_create(&thread, NULL, pin_next, NULL), 0);
		do {
			assert_int_equal(pins__fleet(&pins, &maps, true), 0);
			next = whose(&maps) == 1;
			pins__close_maps(&maps);
		} while (!next);
		pthread_join(thread, NULL);
	}
	pin(&filters[0]);
}

static void removed_pins_are_retired(void **state)
{
	struct fleet_lists *none;

	(void)state;
	assert_false(fleet_lists__are_retired(lists));
	assert_int_equal(pins__remove_fleet(&pins), 0);
	assert_true(fleet_lists__are_retired(lists));
	assert_int_equal(fleet_lists__open(&none, true), 1);
	assert_null(none);
	filters[0].fleet.control->retired = 0;
	pin(&filters[0]);
	assert_int_equal(pins__clear(&pins), 0);
	assert_true(fleet_lists__are_retired(lists));
	assert_int_equal(pins__remove(&pins), 0);
	assert_int_equal(fleet_lists__open(&none, true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_maps_are_open),    cmocka_unit_test(entries_are_put_and_removed),
		cmocka_unit_test(putting_it_again_heals),    cmocka_unit_test(a_change_is_announced),
		cmocka_unit_test(wrong_entries_are_refused), cmocka_unit_test(each_entry_that_holds_is_told),
		cmocka_unit_test(origins_have_rows),	     cmocka_unit_test(no_entry_reaches_other_memory),
		cmocka_unit_test(all_are_of_one_run),	     cmocka_unit_test(removed_pins_are_retired),
	};

	return cmocka_run_group_tests_name("fleet_lists", tests, begin, end);
}
