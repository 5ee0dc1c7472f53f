// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events as text and JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output/event_show.h"

static const struct log_event attack = {
	.kind = EVENT_ATTACK,
	.time_ns = 1767323045000000006,
	.port = 80,
	.budget = 1000,
	.duration_ms = 85000,
	.released_ms = 95500,
	.peak_syn_rate = 20110,
	.average_syn_rate = 20000,
	.distinct_sources = 212000,
	.syns = 1700000,
	.passed = 85000,
	.challenged = 1615000,
	.answered = 7,
	.completed = 1801,
	.listen_drops = 25,
	.step_seconds = 60,
	.steps = {1200000, 500000},
};

static const char *shown(void (*show)(FILE *out, const struct log_event *event), const struct log_event *event)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	show(out, event);
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	struct log_event ongoing = attack, lost = {.kind = EVENT_LOST, .id = 3, .count = 1234, .detail = "ring"};
	struct log_event started = {.kind = EVENT_STARTED, .flags = EVENT_TOOK_OVER | EVENT_DRY_RUN, .detail = "0.2.0"};

	(void)state;
	ongoing.id = 12;
	assert_string_equal(
		shown(event_show__text, &ongoing),
		"2026-01-02T03:04:05Z  #12    attack on port 80: 1m25s, peak 20,110 SYN/s, average 20,000 SYN/s, "
		"1,700,000 SYNs (95.0 % challenged, 5.0 % passed), about 212,000 sources, 1,801 handshakes "
		"completed, 25 dropped by the listener, budget 1,000 SYN/s\n");
	ongoing.flags = EVENT_ONGOING;
	assert_non_null(strstr(shown(event_show__text, &ongoing), "attack on port 80, going on: 1m25s"));
	ongoing.flags = EVENT_INTERRUPTED;
	assert_non_null(strstr(shown(event_show__text, &ongoing), "port 80, until the recording ended: 1m25s"));
	assert_string_equal(shown(event_show__text, &lost), "1970-01-01T00:00:00Z  #3     ring: 1,234 lost\n");
	assert_non_null(strstr(shown(event_show__text, &started),
			       "synwarden 0.2.0 began to filter, and took over the filter of a former run (dry run: "
			       "everything passes)\n"));
}

static void test_json(void **state)
{
	struct log_event event = attack, gone = {.kind = EVENT_GONE, .id = 4, .detail = "eth\"0"};

	(void)state;
	event.id = 12;
	assert_string_equal(
		shown(event_show__json, &event),
		"{\"id\":12,\"time\":\"2026-01-02T03:04:05.000000006Z\",\"event\":\"attack\",\"ongoing\":false,"
		"\"interrupted\":false,\"dry_run\":false,\"end\":\"2026-01-02T03:05:30.000000006Z\","
		"\"released\":\"2026-01-02T03:05:40.500000006Z\",\"port\":80,\"budget\":1000,\"duration_ms\":85000,"
		"\"peak_syn_rate\":20110,\"average_syn_rate\":20000,\"distinct_sources\":212000,\"syns\":1700000,"
		"\"passed\":85000,\"challenged\":1615000,\"answered\":7,\"not_served\":0,\"dropped\":0,\"completed\":"
		"1801,"
		"\"listen_drops\":25,\"step_seconds\":60,\"syns_by_step\":[1200000,500000]}\n");
	event.distinct_sources = 0;
	assert_non_null(strstr(shown(event_show__json, &event), ",\"distinct_sources\":null,\"syns\":"));
	assert_string_equal(shown(event_show__json, &gone),
			    "{\"id\":4,\"time\":\"1970-01-01T00:00:00.000000000Z\",\"event\":\"interface_gone\","
			    "\"interface\":\"eth\\\"0\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json)};

	return cmocka_run_group_tests_name("event_show", tests, NULL, NULL);
}
