// SPDX-License-Identifier: GPL-2.0-only
/*
 * The folder of files that outlive `run`: each is whole or as it was, nothing is left of one that could not be written,
 * and of those that have numbers the oldest go, of this namespace alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/clock.h"
#include "system/state_folder.h"

static struct state_folder folder;

static int begin(void **state)
{
	(void)state;
	folder = (struct state_folder){.path = "/tmp/unit_folder.XXXXXX", .stem = "netns-web"};
	if (!mkdtemp(folder.path))
		return -1;
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder.fd < 0;
}

static int end(void **state)
{
	char command[STATE_PATH_LEN];

	(void)state;
	state_folder__close(&folder);
	snprintf(command, sizeof(command), "rm -r %s", folder.path);
	return system(command);
}

static bool is_there(const char *name)
{
	return faccessat(folder.fd, name, F_OK, 0) == 0;
}

static int write_text(FILE *out, const void *context)
{
	return fputs(context, out) < 0 ? -1 : 0;
}

static int write_half(FILE *out, const void *context)
{
	fputs(context, out);
	fflush(out);
	errno = ENOSPC;
	return -1;
}

static const char *content(const char *kind)
{
	static char text[64];
	char path[STATE_PATH_LEN];
	FILE *file = fopen(state_folder__path(path, &folder, kind), "r");

	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void replaces_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(state_folder__replace(&folder, "events", write_text, "one"), 0);
	assert_string_equal(content("events"), "one");
	assert_int_equal(state_folder__replace(&folder, "events", write_half, "two"), -1);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(content("events"), "one");
	assert_false(is_there("netns-web.events.new"));
	assert_int_equal(mkdirat(folder.fd, "netns-web.events.new", 0700), 0); /* in the way */
	assert_int_equal(state_folder__replace(&folder, "events", write_text, "two"), -1);
	assert_int_equal(errno, EISDIR);
	assert_string_equal(content("events"), "one");
	assert_int_equal(unlinkat(folder.fd, "netns-web.events.new", AT_REMOVEDIR), 0);
	assert_int_equal(mkdirat(folder.fd, "netns-web.sample-1.pcap", 0700), 0); /* where it is to be */
	assert_int_equal(state_folder__replace(&folder, "sample-1.pcap", write_text, "two"), -1);
	assert_int_equal(errno, EISDIR);
	assert_false(is_there("netns-web.sample-1.pcap.new"));
}

static void sets_aside(void **state)
{
	(void)state;
	assert_int_equal(state_folder__replace(&folder, "events", write_text, "one"), 0);
	assert_int_equal(state_folder__set_aside(&folder, "events"), 0);
	assert_null(content("events"));
	assert_string_equal(content("events.damaged"), "one");
}

static void make_old(const char *name, time_t seconds)
{
	int fd = openat(folder.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(futimens(fd, (struct timespec[]){{.tv_sec = seconds}, {.tv_sec = seconds}}), 0);
	close(fd);
}

static void prunes_the_oldest_of_its_own(void **state)
{
	static const char *const others[] = {
		"netns-web.events",
		"netns-web.sample-1.events",
		"netns-web.sample-1.sample-2.pcap",
		"netns-web.sample-1.sample-.pcap.new",
		"netns-web2.sample-1.pcap",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		make_old(others[i], 1);
	make_old("netns-web.sample-2.pcap", 30);
	make_old("netns-web.sample-3.pcap", 10);
	make_old("netns-web.sample-10.pcap", 20);
	assert_int_equal(state_folder__prune(&folder, "sample-", ".pcap", 3), 0);
	assert_true(is_there("netns-web.sample-3.pcap"));
	assert_int_equal(state_folder__prune(&folder, "sample-", ".pcap", 1), 0);
	assert_true(is_there("netns-web.sample-2.pcap"));
	assert_false(is_there("netns-web.sample-3.pcap"));
	assert_false(is_there("netns-web.sample-10.pcap"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(is_there(others[i]));
}

/* Of this boot by the clock that nobody sets, of another by the wall clock; never below 0. */
static void tells_an_age(void **state)
{
	uint64_t now = clock__now(), wall = clock__ns(CLOCK_REALTIME), age;
	char boot[STATE_BOOT_LEN];

	(void)state;
	state_folder__boot(boot);
	age = state_folder__age(boot, now - 5 * NS_PER_S, wall - 900 * NS_PER_S);
	assert_in_range(age, 5 * NS_PER_S, 65 * NS_PER_S);
	age = state_folder__age("another", now - 5 * NS_PER_S, wall - 900 * NS_PER_S);
	assert_in_range(age, 900 * NS_PER_S, 960 * NS_PER_S);
	assert_int_equal(state_folder__age(boot, now + 900 * NS_PER_S, 0), 0);
	assert_int_equal(state_folder__age("another", 0, wall + 900 * NS_PER_S), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(replaces_all_or_nothing),
		TEST(sets_aside),
		TEST(prunes_the_oldest_of_its_own),
		TEST(tells_an_age),
	};

	return cmocka_run_group_tests_name("state_folder", tests, NULL, NULL);
}
