// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap, while the streams' trackers come and go: it has its size after a few, and keeps it.
 *
 * test: no-asan no-kernels
 */
#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "endpoint/feed.h"
#include "endpoint/feed_readers.h"
#include "system/heap.h"
#include "text/log.h"

#define TURNS	   10
#define GROWTH_KIB 32 /* from the middle to the end; without a thread of its own for each tracker it is 100 to 200 */
#define STREAMS	   2
#define PAUSE_MS   5
#define PATIENCE   4000 /* pauses */
#define READINGS   20	/* the least counts: a trim may be under way */

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
}

static size_t entries_of(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Descriptors and threads. */
static size_t held(void)
{
	return entries_of("/proc/self/fd") + entries_of("/proc/self/task");
}

static size_t anonymous_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	size_t kib = 0;
	char line[128];

	assert_non_null(status);
	while (fgets(line, sizeof(line), status) && sscanf(line, "RssAnon: %zu", &kib) != 1)
		;
	fclose(status);
	assert_int_not_equal(kib, 0);
	return kib;
}

struct usage {
	size_t resident_kib, in_use_kib;
};

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct usage measure(void)
{
	struct usage least = {SIZE_MAX, SIZE_MAX};

	for (int i = 0; i < READINGS; i++) {
		const struct mallinfo2 info = mallinfo2();

		least.in_use_kib = lesser(least.in_use_kib, (info.uordblks + info.hblkhd) >> 10);
		least.resident_kib = lesser(least.resident_kib, anonymous_kib());
		pause_briefly();
	}
	return least;
}

static void wake(void *who)
{
	(void)who;
}

static void follow(void *reader)
{
	enum server_ready ready;
	char text[64];
	int i;

	for (i = 0; (ready = feed_readers__ready(reader)) == HTTP_NOT_YET && i < PATIENCE; i++)
		pause_briefly();
	assert_int_equal(ready, HTTP_READY);
	assert_true(feed_readers__read(reader, text, sizeof(text)) > 0);
}

/* A reader for each stream, until their trackers are loaded; then none, until they are gone. */
static void take_turn(struct feed *const feeds[STREAMS], size_t at_rest)
{
	void *readers[STREAMS];
	int i;

	for (i = 0; i < STREAMS; i++) {
		readers[i] = feed_readers__open(feeds[i], wake, NULL);
		assert_non_null(readers[i]);
	}
	for (i = 0; i < STREAMS; i++)
		follow(readers[i]);
	for (i = 0; i < STREAMS; i++)
		feed_readers__close(readers[i]);
	for (i = 0; held() != at_rest && i < PATIENCE; i++)
		pause_briefly();
	assert_int_equal(held(), at_rest);
}

static void trackers_leave_nothing(void **state)
{
	struct feed *feeds[STREAMS];
	struct usage middle, end;
	size_t at_rest;
	int turn, i;

	(void)state;
	assert_int_equal(feed__start(&feeds[0], STREAM_EVENTS, 0), 0);
	assert_int_equal(feed__start(&feeds[1], STREAM_LIVES, 0), 0);
	at_rest = held();
	for (turn = 0; turn < TURNS / 2; turn++)
		take_turn(feeds, at_rest);
	middle = measure();
	for (; turn < TURNS; turn++)
		take_turn(feeds, at_rest);
	end = measure();
	for (i = 0; i < STREAMS; i++) {
		feed__stop(feeds[i]);
		feed__free(feeds[i]);
	}
	print_message("# KiB resident %zu, then %zu; in use %zu, then %zu\n", middle.resident_kib, end.resident_kib,
		      middle.in_use_kib, end.in_use_kib);
	assert_in_range(end.resident_kib, 1, middle.resident_kib + GROWTH_KIB);
	assert_in_range(end.in_use_kib, 1, middle.in_use_kib + GROWTH_KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trackers_leave_nothing),
	};

	heap__share();
	log_libbpf();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
