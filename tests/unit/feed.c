// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers of one feed, without a tracker: all of them get the same text, in order, whether one keeps up or is far
 * behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/feed.h"
#include "endpoint/feed_parts.h"
#include "endpoint/feed_readers.h"
#include "lib/text.h"

#define SLOTS 1024
#define READ  333 /* bytes at once: texts are cut anywhere */

static struct feed *feed;

static int setup(void **state)
{
	(void)state;
	feed = calloc(1, sizeof(*feed) + SLOTS * sizeof(struct record));
	if (!feed)
		return -1;
	feed->kind = STREAM_EVENTS;
	feed->slots = SLOTS;
	feed->phase = PHASE_LIVE;
	pthread_mutex_init(&feed->lock, NULL);
	pthread_cond_init(&feed->changed, NULL);
	feed->out = open_memstream(&feed->text, &feed->size);
	return feed->out ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fclose(feed->out);
	free(feed->text);
	free(feed);
	return 0;
}

/* One of each hundred says that something was lost. */
static void push(unsigned count)
{
	for (; count; count--) {
		struct record *record = &feed->records[feed->head % SLOTS];

		*record = (struct record){.before = feed->events, .realtime_ns = feed->head};
		record->lost = feed->head % 100 == 99 ? 3 : 0;
		record->life.event.flow.laddr.words[2] = record->life.event.flow.raddr.words[2] = htonl(0xffff);
		record->life.event.flow.lport = feed->head;
		record->life.event.old = STATE_SYN_RECV;
		record->life.event.new = STATE_ESTABLISHED;
		feed->events += record->lost ?: 1;
		feed->head++;
	}
}

static void wake(void *who)
{
	(void)who;
}

static void *open_reader(void)
{
	void *reader = feed_readers__open(feed, wake, NULL);

	assert_non_null(reader);
	return reader;
}

/* All that there is for it now. */
static char *read_all(void *reader)
{
	char *text = NULL, *longer;
	size_t len = 0;
	ssize_t got;

	do {
		longer = realloc(text, len + READ + 1);
		assert_non_null(longer);
		text = longer;
		got = feed_readers__read(reader, text + len, READ);
		assert_true(got >= 0);
		len += got;
	} while (got);
	text[len] = '\0';
	return text;
}

static void test_same_text(void **state)
{
	void *first = open_reader(), *second = open_reader(), *last = open_reader();
	char *texts[3];

	(void)state;
	push(SLOTS - 10); /* more than texts are kept of */
	texts[0] = read_all(first);
	texts[1] = read_all(second);
	texts[2] = read_all(last);
	assert_int_equal(count_of(texts[0], "data: {\"ts\""), SLOTS - 10 - (SLOTS - 10) / 100);
	assert_int_equal(count_of(texts[0], "event: lost\n"), (SLOTS - 10) / 100);
	assert_int_equal(count_of(texts[0], ": follows\n"), 1);
	assert_string_equal(texts[0], texts[1]);
	assert_string_equal(texts[0], texts[2]);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	feed_readers__close(first);
	feed_readers__close(second);
	feed_readers__close(last);
}

/* Two that keep up and one that comes later to what they have read: each record once, for each of them. */
static void test_keep_up(void **state)
{
	void *readers[3] = {open_reader(), open_reader(), open_reader()};
	char *whole[2] = {strdup(""), strdup("")}, *part, *longer, *late;

	(void)state;
	for (int turn = 0; turn < 20; turn++) {
		push(turn * 3);
		for (int i = 0; i < 2; i++) {
			part = read_all(readers[i]);
			assert_true(asprintf(&longer, "%s%s", whole[i], part) >= 0);
			free(part);
			free(whole[i]);
			whole[i] = longer;
		}
	}
	late = read_all(readers[2]);
	assert_string_equal(whole[0], whole[1]);
	assert_string_equal(whole[0], late);
	free(whole[0]);
	free(whole[1]);
	free(late);
	for (int i = 0; i < 3; i++)
		feed_readers__close(readers[i]);
}

/* It is further behind than the ring is long: what it missed is counted, and what follows is what others get. */
static void test_fell_out(void **state)
{
	void *slow = open_reader(), *fast = open_reader();
	char *behind, *whole;
	uint64_t before = feed->events;

	(void)state;
	push(SLOTS / 2);
	free(read_all(fast));
	push(SLOTS / 2);
	free(read_all(fast));
	push(SLOTS / 2);
	whole = read_all(fast);
	behind = read_all(slow);
	assert_int_equal(count_of(behind, "\"stage\":\"client\""), 1);
	assert_true(strlen(behind) > strlen(whole));
	assert_string_equal(behind + strlen(behind) - strlen(whole), whole);
	assert_true(feed->events > before);
	free(whole);
	free(behind);
	feed_readers__close(slow);
	feed_readers__close(fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_text),
		cmocka_unit_test(test_keep_up),
		cmocka_unit_test(test_fell_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
