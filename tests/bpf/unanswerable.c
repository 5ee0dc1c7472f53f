// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYNs over the budget that the kernel would drop: they are not answered. What the kernel itself does with such:
 * tests/e2e/kernel_answers.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"
#include "challenge_syns.h"

/* What the kernel would drop, or not answer as it stands. */
static void what_is_not_answered(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unanswerable); i++)
		for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
			const struct unanswerable_case *row = &unanswerable[i];

			if (row->family != ANY && row->family != ip6)
				continue;
			build(&row->frame, ip6);
			set_options(row->options, row->options[0] ? row->frame.tcp_options : 0);
			frame.bytes[frame.ip + 10] ^= row->ip_sum;
			frame.bytes[frame.tcp + 16] ^= row->tcp_sum;
			failures += !expect_alike(row->what, REASON_UNANSWERABLE);
		}
	assert_int_equal(failures, 0);
}

/* A local sender leaves the rest of the checksum to hardware. */
static void a_partial_checksum_is_right(void **state)
{
	int failures = 0;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		build(&(struct frame_spec){}, ip6);
		frame_set16(
			&frame, frame.tcp + 16,
			frame_fold(frame_add(IPPROTO_TCP + 20, frame.bytes + frame.ip + (ip6 ? 8 : 12), ip6 ? 32 : 8)));
		failures += !is_challenged(&enforcing, "the sum of the pseudo-header alone");
	}
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_answered),
		cmocka_unit_test(a_partial_checksum_is_right),
	};

	return cmocka_run_group_tests_name("unanswerable", tests, set_up, tear_down);
}
