// SPDX-License-Identifier: GPL-2.0-only
/*
 * What chooses connections: the values of its options, what the kernel side is asked for, and what is judged later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>

#include "config/cidr.h"
#include "config/values.h"
#include "lib/text.h"
#include "stream/filter.h"

static void test_comm(void **state)
{
	const char *comm = NULL, *why = NULL;

	(void)state;
	assert_int_equal(parse_comm("x", &comm, &why), 0);
	assert_string_equal(comm, "x");
	assert_int_equal(parse_comm("kworker/u8:2-ev", &comm, &why), 0);
	assert_string_equal(comm, "kworker/u8:2-ev");
	assert_int_equal(parse_comm("", &comm, &why), -1);
	assert_int_equal(parse_comm("sixteen_bytes_16", &comm, &why), -1);
	assert_string_equal(why, "the name of a process, 1 to 15 bytes long (see: ps -eo comm)");
	assert_string_equal(comm, "kworker/u8:2-ev");
}

static void test_netns(void **state)
{
	static const char *const refused[] = {"",  "0",	 "4294967296", "-1",	     "no such name",	 ".",
					      "/", "..", "/dev/null",  "/etc/hosts", "/proc/self/ns/mnt"};
	const char *why;
	uint32_t inode;
	struct stat st;
	size_t i;

	(void)state;
	assert_int_equal(parse_netns("1", &inode, &why), 0);
	assert_int_equal(inode, 1);
	assert_int_equal(parse_netns("4294967295", &inode, &why), 0);
	assert_int_equal(inode, 4294967295U);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(parse_netns("/proc/self/ns/net", &inode, &why), 0);
	assert_int_equal(inode, st.st_ino);
	for (i = 0; i < COUNT_OF(refused); i++) {
		why = NULL;
		assert_int_equal(parse_netns(refused[i], &inode, &why), -1);
		assert_string_equal(why, "a network namespace: a name (see: ip netns), a path such as "
					 "/proc/PID/ns/net, or an inode number");
	}
	assert_int_equal(inode, st.st_ino);
}

static void test_within(void **state)
{
	(void)state;
	assert_true(cgroups__within("/a/b", "/"));
	assert_true(cgroups__within("/", "/"));
	assert_true(cgroups__within("/a", "/a"));
	assert_true(cgroups__within("/a/b", "/a"));
	assert_false(cgroups__within("/ab", "/a"));
	assert_false(cgroups__within("/", "/a"));
	assert_false(cgroups__within("/a", "/a/b"));
	assert_null(cgroups__path(0));
	assert_null(cgroups__path(UINT64_MAX));
}

/* What the kernel side would be asked for, given --family and --addr. */
static struct event_filter filter_of(uint32_t family, const char *cidr)
{
	struct filter_options options = FILTER_ALL;
	struct event_filter filter = {};
	const char *why;

	options.port = 80;
	options.pid = 7;
	options.netns = 4026531840;
	options.state = STATE_LISTEN;
	options.family = family;
	if (cidr)
		assert_int_equal(parse_cidr(cidr, &options.addr, &why), 0);
	filter__set(&filter, &options);
	assert_int_equal(filter.port, 80);
	assert_int_equal(filter.pid, 7);
	assert_int_equal(filter.netns, 4026531840);
	assert_int_equal(filter.state, STATE_LISTEN);
	return filter;
}

static void test_set(void **state)
{
	static const struct {
		uint32_t family;
		const char *cidr;
		uint8_t wanted;
		uint32_t addr[4], mask[4];
	} rows[] = {
		{0, NULL, 0, {0}, {0}},
		{1, NULL, 4, {0}, {0}},
		{2, NULL, 6, {0}, {0}},
		{0, "192.0.2.0/23", 0, {0, 0, 0xffff, 0xc0000200}, {~0U, ~0U, ~0U, 0xfffffe00}},
		{0, "192.0.2.1", 0, {0, 0, 0xffff, 0xc0000201}, {~0U, ~0U, ~0U, ~0U}},
		{0, "0.0.0.0/0", 0, {0, 0, 0xffff, 0}, {~0U, ~0U, ~0U, 0}},
		{0, "::/0", 6, {0}, {0}},
		{1, "::/0", 4, {0}, {0}},
		{0, "2001:db8::/33", 6, {0x20010db8, 0, 0, 0}, {~0U, 0x80000000, 0, 0}},
		{0, "2001:db8::1", 0, {0x20010db8, 0, 0, 1}, {~0U, ~0U, ~0U, ~0U}},
	};
	struct event_filter filter;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		filter = filter_of(rows[i].family, rows[i].cidr);
		assert_int_equal(filter.family, rows[i].wanted);
		assert_int_equal(filter.by_addr, rows[i].cidr != NULL);
		for (j = 0; j < 4; j++) {
			assert_int_equal(ntohl(filter.addr.words[j]), rows[i].addr[j]);
			assert_int_equal(ntohl(filter.mask.words[j]), rows[i].mask[j]);
		}
	}
}

static void test_matches(void **state)
{
	const struct event unknown = {.new = STATE_LISTEN};
	const struct event known = {.owner = {.pid = 7, .comm = "fifteen_bytes_1", .kind = OWNER_LISTEN}};
	struct filter_options options = FILTER_ALL;

	(void)state;
	assert_true(filter__matches(&options, &unknown));
	options.pid = 7;
	assert_false(filter__matches(&options, &unknown));
	assert_true(filter__matches(&options, &known));
	options.comm = "fifteen_bytes_1";
	assert_true(filter__matches(&options, &known));
	options.comm = "fifteen_bytes_";
	assert_false(filter__matches(&options, &known));
	options = (struct filter_options)FILTER_ALL;
	strcpy(options.cgroup.text, "/");
	assert_false(filter__matches(&options, &unknown));
	assert_false(filter__matches(&options, &known));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comm), cmocka_unit_test(test_netns),   cmocka_unit_test(test_within),
		cmocka_unit_test(test_set),  cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
