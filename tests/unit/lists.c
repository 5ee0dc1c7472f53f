// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a reload changes in maps, and takes back where it fails: the lists, the served set. The maps are
 * small, so that what was planned finds no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "config/options.h"
#include "config/cidr.h"
#include "config/values.h"
#include "kernel/lists.h"
#include "kernel/load_config.h"
#include "lib/capture.h"
#include "lib/text.h"
#include "text/address.h"

#define ENTRIES	  6
#define ROOM	  (LIST_ROOM * ENTRIES)
#define SERVED	  3
#define SECOND_NS 1000000000ULL

static struct maps maps;
static struct list_set set;

static int make_map(enum bpf_map_type type, __u32 key_size, __u32 value_size, __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, NULL, key_size, value_size, entries, &opts);

	if (fd < 0)
		fail_msg("cannot make a map (are you root?)");
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	maps.blocked = make_map(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct prefix), sizeof(struct list_entry), ROOM,
				BPF_F_NO_PREALLOC);
	maps.blocked_hosts =
		make_map(BPF_MAP_TYPE_HASH, sizeof(struct addr), sizeof(struct list_entry), ROOM, BPF_F_NO_PREALLOC);
	maps.list_filter = make_map(BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64),
				    LIST_COPIES * list_copy_words(list_words(ENTRIES)), BPF_F_MMAPABLE);
	maps.list_control = make_map(BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct list_control), 1, BPF_F_MMAPABLE);
	assert_int_equal(list_set__open(&set, &maps, LIST_SET_OWN), 0);
	list_set__begin(&set, 1, ENTRIES);
	maps.served = make_map(BPF_MAP_TYPE_HASH, sizeof(struct served), sizeof(__u32), SERVED, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(maps.blocked);
	list_set__close(&set);
	close(maps.blocked_hosts);
	close(maps.list_filter);
	close(maps.list_control);
	close(maps.served);
	return 0;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	const char *why;

	assert_int_equal(parse_cidr(text, &prefix, &why), 0);
	return prefix;
}

/* Up to eight, as a file would name them. */
static size_t prefixes_of(struct prefix *prefixes, const char *const *texts)
{
	size_t count = 0;

	for (; texts[count]; count++)
		prefixes[count] = prefix_of(texts[count]);
	return count;
}

static struct list_wish wish_of(struct prefix *prefixes, const char *const *texts)
{
	return (struct list_wish){.prefixes = {prefixes, prefixes_of(prefixes, texts)}};
}

static int agree(const char *const *texts)
{
	struct prefix prefixes[8];
	const struct list_wish wish = wish_of(prefixes, texts);

	return lists__sync(&set, LIST_BLOCK, &wish);
}

static void block(const char *text, uint64_t lifetime_ns)
{
	struct prefix prefix = prefix_of(text);

	assert_int_equal(lists__add(&set, LIST_BLOCK, &prefix, lifetime_ns), 0);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct lines {
	char all[ROOM][128];
	size_t count;
};

static void write_line(void *context, const struct prefix *prefix, const struct list_entry *entry)
{
	struct lines *lines = context;
	char address[PRINT_PREFIX_LEN];

	assert_in_range(lines->count, 0, ROOM - 1);
	snprintf(lines->all[lines->count++], sizeof(lines->all[0]), "%s %u %llu\n", print_prefix(address, prefix),
		 entry->origins, entry->expires_ns);
}

/* Every entry, its origins and when it ends, in order. */
static const char *entries(char text[1024])
{
	struct lines lines = {};

	assert_int_equal(list_set__walk(&set, LIST_BLOCK, write_line, &lines), 0);
	assert_int_equal(list_set__count(&set, LIST_BLOCK), lines.count);
	qsort(lines.all, lines.count, sizeof(lines.all[0]), compare);
	*text = '\0';
	for (size_t i = 0; i < lines.count; i++)
		strcat(text, lines.all[i]);
	return text;
}

/* All kinds of entries: of the file, of a command for good and for a time, of both, and one of the file that a command
 * took off. */
static void fill(void)
{
	static const char *const file[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", NULL};
	struct prefix gone = prefix_of("192.0.2.3");

	assert_int_equal(agree(file), 0);
	block("192.0.2.2", 0);
	block("192.0.2.4", 0);
	block("192.0.2.5", 100 * SECOND_NS);
	assert_int_equal(list_set__take(&set, LIST_BLOCK, &gone), 0);
}

static void test_agrees(void **state)
{
	static const char *const file[] = {"192.0.2.5", "192.0.2.4", "192.0.2.6", "192.0.2.5", NULL};
	char now[1024];

	(void)state;
	fill();
	assert_int_equal(agree(file), 0);
	assert_string_equal(entries(now), "192.0.2.2 1 0\n192.0.2.4 3 0\n192.0.2.5 2 0\n192.0.2.6 2 0\n");
}

static void test_taken_back(void **state)
{
	static const char *const file[] = {"192.0.2.5", "192.0.2.4", "198.51.100.1", NULL};
	char before[1024], now[1024];
	struct prefix prefixes[8];
	struct list_plan plan;
	struct list_wish wish;

	(void)state;
	fill();
	entries(before);
	wish = wish_of(prefixes, file);
	assert_int_equal(lists__plan(&plan, &set, LIST_BLOCK, &wish), 0);
	assert_string_equal(entries(now), before);
	assert_int_equal(lists__apply(&plan), 0);
	assert_string_equal(entries(now), "192.0.2.2 1 0\n192.0.2.4 3 0\n192.0.2.5 2 0\n198.51.100.1 2 0\n");
	lists__revert(&plan);
	assert_string_equal(entries(now), before);
	lists__revert(&plan);
	assert_string_equal(entries(now), before);
	lists__forget(&plan);
}

static void test_no_room_in_the_midst(void **state)
{
	static const char *const file[] = {"192.0.2.5",	   "192.0.2.4", "198.51.100.1", "198.51.100.2", "198.51.100.3",
					   "198.51.100.4", NULL};
	char before[1024], now[1024];
	struct capture said;

	(void)state;
	fill();
	entries(before);
	capture_begin(&said, STDERR_FILENO);
	assert_int_equal(agree(file), -1);
	assert_string_equal(capture_end(&said), "synwarden: the block list is full (6 entries); remove some: "
						"synwarden unblock CIDR\n");
	assert_string_equal(entries(now), before);
}

/* What a command does between plan and change is kept, and is what comes back. */
static void test_changed_meanwhile(void **state)
{
	static const char *const file[] = {"192.0.2.6", NULL};
	char before[1024], now[1024];
	struct prefix prefixes[8];
	struct list_plan plan;
	struct list_wish wish;

	(void)state;
	fill();
	wish = wish_of(prefixes, file);
	assert_int_equal(lists__plan(&plan, &set, LIST_BLOCK, &wish), 0);
	block("192.0.2.1", 0);
	block("192.0.2.6", 50 * SECOND_NS);
	entries(before);
	assert_int_equal(lists__apply(&plan), 0);
	assert_non_null(strstr(entries(now), "192.0.2.1 1 0\n"));
	assert_non_null(strstr(now, "192.0.2.6 2 0\n"));
	lists__revert(&plan);
	assert_string_equal(entries(now), before);
	lists__forget(&plan);
}

static bool is_served(uint32_t port)
{
	struct served key = {.port = port};
	__u32 seen;

	return bpf_map_lookup_elem(maps.served, &key, &seen) == 0;
}

static void test_protect(void **state)
{
	struct newly_served added = {};
	struct capture said;

	(void)state;
	assert_int_equal(load_config__protect("80", maps.served), 0);
	capture_begin(&said, STDERR_FILENO);
	assert_int_equal(load_config__protect_more("80,81,82,83", maps.served, &added), -1);
	assert_string_equal(capture_end(&said), "synwarden: run: --protect: more than 4096 addresses and ports\n");
	free(added.all);
	assert_true(is_served(80));
	assert_false(is_served(81) || is_served(82) || is_served(83));

	assert_int_equal(load_config__protect_more("81,80,82", maps.served, &added), 0);
	assert_true(is_served(80) && is_served(81) && is_served(82));
	load_config__unprotect(maps.served, &added);
	free(added.all);
	assert_true(is_served(80));
	assert_false(is_served(81) || is_served(82));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_agrees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_room_in_the_midst, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_protect, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
