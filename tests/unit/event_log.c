// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of events: bounded in number and age, whatever the wall clock says; as a file, and as a file that is cut,
 * garbage, too long, or of another version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/event_file.h"
#include "system/clock.h"

static char dir[] = "/tmp/unit_events.XXXXXX", path[64];
static struct event_log *event_log;

static const struct log_event attack = {
	.kind = EVENT_ATTACK,
	.time_ns = 1767323045000000006,
	.port = 80,
	.duration_ms = 85000,
	.syns = 1700000,
	.step_seconds = 60,
	.steps = {1200000, 500000},
};

static int set_up(void **state)
{
	(void)state;
	event_log = event_log__make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	event_log__free(event_log);
	return 0;
}

struct seen {
	size_t count;
	struct log_event first, last;
};

static bool see(void *context, const struct log_event *event)
{
	struct seen *seen = context;

	if (!seen->count++)
		seen->first = *event;
	seen->last = *event;
	return true;
}

static struct seen look(bool last_first)
{
	struct seen seen = {};

	event_log__each(event_log, last_first, see, &seen);
	return seen;
}

static void add(enum event_kind kind, const char *detail)
{
	struct log_event event = event_log__event(kind, 0, detail);

	event_log__add(event_log, &event);
}

static void test_bounded(void **state)
{
	struct log_event first = event_log__event(EVENT_STARTED, 0, "1"), gone = first;
	struct seen seen;

	(void)state;
	event_log__add(event_log, &first);
	for (unsigned i = 0; i < EVENT_LOG_MAX; i++)
		add(EVENT_RELOADED, "file");
	seen = look(false);
	assert_int_equal(seen.count, EVENT_LOG_MAX);
	assert_int_equal(seen.first.id, 2);
	assert_int_equal(seen.last.id, EVENT_LOG_MAX + 1);
	seen = look(true);
	assert_int_equal(seen.first.id, EVENT_LOG_MAX + 1);
	gone.id = first.id;
	event_log__change(event_log, &gone); /* which is not kept any more */
	assert_int_equal(look(false).first.id, 2);
}

static void add_armed(uint32_t flags)
{
	struct log_event event = event_log__event(EVENT_ARMED, flags, NULL);

	event_log__add(event_log, &event);
}

/* Ports that arm again and again push out no attack, and nothing pushes out what goes on. */
static void test_keeps_what_goes_on(void **state)
{
	struct log_event event = attack;
	struct seen seen;

	(void)state;
	event_log__add(event_log, (struct log_event[]){attack});
	event.flags = EVENT_ONGOING;
	event_log__add(event_log, &event);
	add_armed(EVENT_ONGOING);
	for (unsigned i = 0; i < 3 * EVENT_LOG_MAX; i++)
		add_armed(0);
	seen = look(false);
	assert_int_equal(seen.count, EVENT_LOG_MAX);
	assert_int_equal(seen.first.id, 1);
	assert_int_equal(seen.last.id, 3 + 3 * EVENT_LOG_MAX);
	for (unsigned i = 0; i < EVENT_LOG_MAX - 3; i++) /* in the places of those that were armed */
		add(EVENT_RELOADED, "file");
	assert_int_equal(look(false).first.id, 1);
	for (unsigned i = 0; i < EVENT_LOG_MAX; i++)
		add(EVENT_RELOADED, "file");
	event.syns++;
	event_log__change(event_log, &event);
	seen = look(false);
	assert_int_equal(seen.count, EVENT_LOG_MAX);
	assert_int_equal(seen.first.id, 2);
	assert_int_equal(seen.first.syns, event.syns);
	assert_int_equal(seen.last.id, 5 * EVENT_LOG_MAX);
	for (unsigned i = 0; i < EVENT_LOG_MAX; i++) /* more than fit */
		add_armed(EVENT_ONGOING);
	assert_int_equal(look(false).count, EVENT_LOG_MAX);
}

static void test_expires(void **state)
{
	struct log_event old = event_log__event(EVENT_STARTED, 0, "1");
	uint64_t now = clock__now();

	(void)state;
	old.started_ns = (int64_t)now - EVENT_KEPT_S * (int64_t)NS_PER_S - 1;
	event_log__add(event_log, &old);
	old.started_ns += 2;
	old.time_ns = 1; /* the wall clock says nothing about ages */
	event_log__add(event_log, &old);
	event_log__expire(event_log, now);
	assert_int_equal(look(false).count, 1);
	assert_int_equal(look(false).first.id, 2);
	event_log__clear(event_log);
	old.started_ns -= 1000000000;
	old.flags = EVENT_ONGOING;
	event_log__add(event_log, &old);
	event_log__add(event_log, (struct log_event[]){{.started_ns = old.started_ns}});
	old.flags = 0;
	old.duration_ms = 1000; /* it ended later */
	event_log__add(event_log, &old);
	event_log__expire(event_log, now);
	assert_int_equal(look(false).count, 2);
	assert_int_equal(look(false).first.id, 1);
	assert_int_equal(look(false).last.id, 3);
}

static void test_steps(void **state)
{
	struct log_event event = {};

	(void)state;
	for (uint64_t second = 0; second < 3600; second++)
		event_log__add_step(&event, second, 1);
	assert_int_equal(event.step_seconds, 60);
	assert_int_equal(event.steps[59], 60);
	event_log__add_step(&event, 3600, 5);
	assert_int_equal(event.step_seconds, 120);
	assert_int_equal(event.steps[0], 120);
	assert_int_equal(event.steps[29], 120);
	assert_int_equal(event.steps[30], 5);
	event_log__add_step(&event, 1000000, 1);
	assert_int_equal(event.step_seconds, 30720);
	assert_int_equal(event.steps[0], 3605);
}

static void write_text(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void save(void)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(event_file__write(file, event_log), 0);
	assert_int_equal(fclose(file), 0);
}

static void test_file(void **state)
{
	struct log_event ongoing = attack, seven = event_log__event(EVENT_LOST, 0, "tab\there");
	const char *why;
	struct seen seen;

	(void)state;
	ongoing.started_ns = -5;
	ongoing.flags = EVENT_ONGOING | EVENT_DRY_RUN;
	event_log__add(event_log, &ongoing);
	seven.count = 7;
	event_log__add(event_log, &seven);
	save();
	event_log__clear(event_log);
	assert_int_equal(event_file__read(event_log, path, false, &why), 0);
	seen = look(false);
	assert_int_equal(seen.count, 2);
	assert_memory_equal(&seen.first.steps, &attack.steps, sizeof(attack.steps));
	assert_int_equal(seen.first.flags, ongoing.flags);
	assert_int_equal(seen.first.syns, 1700000);
	assert_int_equal(seen.first.started_ns / 1000000000, 0); /* less the moment between writing and reading */
	assert_string_equal(seen.last.detail, "tab?here");
	assert_int_equal(seen.last.count, 7);
	event_log__clear(event_log);
	assert_int_equal(event_file__read(event_log, path, true, &why), 0);
	assert_int_equal(look(false).first.flags, EVENT_INTERRUPTED | EVENT_DRY_RUN);
	add(EVENT_STOPPED, "1");
	assert_int_equal(look(false).last.id, 3);
}

/* Of another boot, whose clock began anew: an event is as old as it was when written. */
static void test_other_boot(void **state)
{
	const char text[] =
		"synwarden-events-1 other 77000000000 1\n9 started 0 1767323045000000006 5000000000 detail=1\n";
	const char *why;
	int64_t now = clock__now();

	(void)state;
	write_text(text, strlen(text));
	assert_int_equal(event_file__read(event_log, path, false, &why), 0);
	assert_in_range(now - look(false).first.started_ns, 4000000000, 5000000000);
	assert_int_equal(look(false).first.time_ns, 1767323045000000006);
}

#define HEAD "synwarden-events-1 b 5 "

static void test_damaged(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "it is of another format"},
		{"\n", "it is of another format"},
		{"\xff\xfe garbage", "it is of another format"},
		{"synwarden-events-2 b 5 0\n", "it is of another format"},
		{"synwarden-events-1 b 5 0", "it is of another format"},
		{"synwarden-events-1 b 5 0 more\n", "it is of another format"},
		{HEAD "1025\n", "it is of another format"},
		{HEAD "1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 0 1 1", "line 2 is damaged"},
		{HEAD "1\n1 begun 0 1 1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 64 1 1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 0 18446744073709551615 1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 0 1 9223372036854775807\n", "line 2 is damaged"},
		{HEAD "1\n0 started 0 1 1\n", "line 2 is damaged"},
		{HEAD "1\n-1 started 0 1 1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 0 1\n", "line 2 is damaged"},
		{HEAD "1\n1 started 0 1 1 detail=a\tb\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 port\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 port=\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 port=-1\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 port=80x\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 porto=80\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 syns=18446744073709551616\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 steps=1,,2\n", "line 2 is damaged"},
		{HEAD "1\n1 attack 0 1 1 steps=1,\n", "line 2 is damaged"},
		{HEAD "2\n1 started 0 1 1\n1 started 0 1 1\n", "line 3 is damaged"},
		{HEAD "1\n1 started 0 1 1\n2 started 0 1 1\n", "it is longer than its first line says"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = "nothing";

		write_text(rows[i].text, strlen(rows[i].text));
		if (event_file__read(event_log, path, true, &why) == 0 || strcmp(why, rows[i].why) != 0)
			fail_msg("\"%s\": %s, not %s", rows[i].text, why ?: "nothing", rows[i].why);
		assert_int_equal(look(false).count, 0);
	}
}

/* Each cut of a sound file, and each byte of it that is another one, is refused, or read as something. */
static void test_cut_and_changed(void **state)
{
	char text[1024], other[1024];
	const char *why;
	size_t len;
	FILE *file;

	(void)state;
	event_log__add(event_log, &(struct log_event){.kind = EVENT_STARTED, .detail = "0.2.0"});
	event_log__add(event_log, (struct log_event[]){attack});
	save();
	file = fopen(path, "r");
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	for (size_t cut = 0; cut < len; cut++) {
		event_log__clear(event_log);
		write_text(text, cut);
		assert_int_equal(event_file__read(event_log, path, true, &why), -1);
	}
	for (size_t at = 0; at < len; at++) {
		memcpy(other, text, len);
		other[at] ^= 1 << at % 8;
		event_log__clear(event_log);
		write_text(other, len);
		if (event_file__read(event_log, path, true, &why) == 0)
			assert_int_equal(look(false).count, 2);
	}
}

static void test_long_lines(void **state)
{
	static char text[EVENT_FILE_LINE_LEN * 2];
	struct log_event full = attack;
	const char *why;
	int len;

	(void)state;
	len = snprintf(text, sizeof(text), HEAD "1\n1 started 0 1 1 detail=");
	memset(text + len, 'x', sizeof(text) - len);
	write_text(text, sizeof(text));
	assert_int_equal(event_file__read(event_log, path, true, &why), -1);
	text[len + EVENT_DETAIL_LEN] = '\n'; /* of a length that the line may have, but not the detail */
	write_text(text, len + EVENT_DETAIL_LEN + 1);
	assert_int_equal(event_file__read(event_log, path, true, &why), -1);
	/* The longest line that is ever written is read. */
#define X(name) full.name = UINT64_MAX;
	EVENT_NUMBERS(X)
#undef X
	for (size_t i = 0; i < EVENT_STEPS; i++)
		full.steps[i] = UINT64_MAX;
	memset(full.detail, 'x', sizeof(full.detail) - 1);
	full.time_ns = INT64_MAX;
	event_log__add(event_log, &full);
	save();
	event_log__clear(event_log);
	assert_int_equal(event_file__read(event_log, path, true, &why), 0);
	assert_int_equal(look(false).first.steps[EVENT_STEPS - 1], UINT64_MAX);
}

static void test_unwritable(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	const char *why;

	(void)state;
	add(EVENT_STARTED, "1");
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(event_file__write(full, event_log), -1);
	fclose(full);
	event_log__clear(event_log);
	assert_int_equal(event_file__read(event_log, "/nowhere/events", false, &why), -1);
	assert_string_equal(why, "No such file or directory");
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/events", dir);
	return 0;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bounded),    TEST(test_keeps_what_goes_on), TEST(test_expires), TEST(test_steps),
		TEST(test_file),       TEST(test_other_boot),	      TEST(test_damaged), TEST(test_cut_and_changed),
		TEST(test_long_lines), TEST(test_unwritable),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
