// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all verified sources of a port may have together. What one may: tests/bpf/challenge.c.
 *
 * test: alone asan-slow no-kernels
 * fault: More than ten budgets of verified SYNs | they are challenged | [0-9]* - verified_sources_share_a_rate
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"

#define CROWD	     5000
#define CROWD_BUDGET 100
#define CROWD_NS     1000000000ULL

static const char *crowd_address(unsigned i)
{
	static char text[16];

	snprintf(text, sizeof(text), "192.0.%u.%u", i / 250, i % 250 + 1);
	return text;
}

/* SYNs of the crowd until the time is over; none sends more than a verified source may. Returns how long it took. */
static uint64_t send_crowd(const struct filter *filter)
{
	struct frame *frames = calloc(CROWD, sizeof(*frames));
	uint64_t begun = filter_clock(), now = begun;
	unsigned sent = 0;

	assert_non_null(frames);
	for (unsigned i = 0; i < CROWD; i++)
		frame_build(&frames[i], &(struct frame_spec){.from = crowd_address(i)});
	for (begun = filter_clock(); now < begun + CROWD_NS; now = filter_clock())
		for (unsigned i = 0; i < 100; i++)
			filter_run(filter, &frames[sent++ % CROWD], NULL);
	free(frames);
	return now - begun;
}

/* Spoofed, or a botnet: each within its own rate, but of all only ten budgets of the port go past the challenge. */
static void verified_sources_share_a_rate(void **state)
{
	struct verdict_count before[REASON_MAX], after[REASON_MAX];
	uint64_t took, most, verified, challenged;
	struct filter crowded;

	(void)state;
	load(&crowded, &(struct run_options){.port_budget = CROWD_BUDGET, .challenge = CHALLENGE_AUTO}, SERVED);
	for (unsigned i = 0; i < CROWD; i++) {
		const struct frame_spec spec = {.from = crowd_address(i)};

		do /* some are within the budget */
			build(&spec, IP4);
		while (filter_run(&crowded, &frame, &reply) != XDP_TX);
		reply.ip = frame.ip;
		build_segment(&spec, IP4, ACK, cookie_of_reply() + 1);
		assert_true(filter_expect(&crowded, "its answer", &frame, REASON_COOKIE_ACK));
	}
	filter_verdicts(&crowded, before);
	took = send_crowd(&crowded);
	filter_verdicts(&crowded, after);
	verified = after[REASON_VERIFIED].packets - before[REASON_VERIFIED].packets;
	challenged = after[REASON_CHALLENGED].packets - before[REASON_CHALLENGED].packets;
	/* What the time allows, a quarter of a second's worth at once, and each CPU's last batch. */
	most = VERIFIED_BUDGETS * CROWD_BUDGET * (took + CROWD_NS / 4) / CROWD_NS + CROWD_BUDGET;
	print_message("# %lu verified, at most %lu; %lu challenged\n", verified, most, challenged);
	assert_in_range(verified, VERIFIED_BUDGETS * CROWD_BUDGET * 9 / 10, most);
	assert_true(challenged > verified);
	filter_free(&crowded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verified_sources_share_a_rate),
	};

	return cmocka_run_group_tests_name("verified", tests, set_up, tear_down);
}
