// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is worked out from a snapshot: counts and quantiles of histograms, sums over reasons and ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/histogram.h"
#include "kernel/snapshot.h"
#include "lib/text.h"
#include "text/names.h"

static void test_count(void **state)
{
	struct histogram histogram = {.sum_ns = 12345};

	(void)state;
	assert_int_equal(histogram__count(&histogram), 0);
	histogram.slots[0] = 3;
	histogram.slots[17] = 1ULL << 40;
	histogram.slots[HIST_SLOTS - 1] = 5;
	assert_int_equal(histogram__count(&histogram), (1ULL << 40) + 8);
}

static void test_quantile_of_nothing(void **state)
{
	static const struct histogram histogram;

	(void)state;
	assert_true(histogram__quantile(&histogram, 0.5) == DURATION_UNKNOWN);
	assert_true(histogram__quantile(&histogram, 1) == DURATION_UNKNOWN);
}

/* Slot n counts [2^n, 2^(n+1)) microseconds. */
static void test_quantile_is_the_upper_edge(void **state)
{
	unsigned slot;

	(void)state;
	for (slot = 0; slot < HIST_SLOTS; slot++) {
		struct histogram histogram = {0};

		histogram.slots[slot] = 1;
		assert_int_equal(histogram__quantile(&histogram, 0.5), (2ULL << slot) * 1000);
		assert_int_equal(histogram__quantile(&histogram, 1), (2ULL << slot) * 1000);
	}
}

static void test_quantile_at_the_share(void **state)
{
	static const struct histogram histogram = {.slots = {[0] = 50, [3] = 40, [10] = 9, [20] = 1}};
	static const struct {
		double q;
		uint64_t ns;
	} rows[] = {
		{0.01, 2000},	 {0.5, 2000},	  {0.51, 16000},       {0.9, 16000},
		{0.91, 2048000}, {0.99, 2048000}, {0.995, 2097152000}, {1, 2097152000},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(histogram__quantile(&histogram, rows[i].q), rows[i].ns);
}

/* Every reason counts to one verdict, and no packet to two or none. */
static void test_packets(void **state)
{
	static struct snapshot snapshot;
	uint64_t packets[VERDICT_MAX] = {}, all = 0;
	unsigned reason;

	(void)state;
	for (reason = 0; reason < REASON_MAX; reason++) {
		snapshot.verdicts[reason].packets = 1ULL << reason;
		packets[print_reason_verdict(reason)] += 1ULL << reason;
	}
	for (unsigned verdict = 0; verdict < VERDICT_MAX; verdict++) {
		assert_int_equal(snapshot__packets(&snapshot, verdict), packets[verdict]);
		all += packets[verdict];
	}
	assert_int_equal(all, (1ULL << REASON_MAX) - 1);
}

static void test_syns(void **state)
{
	static struct snapshot snapshot = {.port_count = 1};

	(void)state;
	assert_int_equal(snapshot__syns(&snapshot), 0);
	snapshot.ports[0].syns = 3;
	assert_int_equal(snapshot__syns(&snapshot), 3);
	snapshot.ports[1].syns = 40;
	snapshot.port_count = 2;
	assert_int_equal(snapshot__syns(&snapshot), 43);
}

int main(void)
{
	static const struct CMUnitTest histograms[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_quantile_of_nothing),
		cmocka_unit_test(test_quantile_is_the_upper_edge),
		cmocka_unit_test(test_quantile_at_the_share),
	};
	static const struct CMUnitTest sums[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_syns),
	};

	return cmocka_run_group_tests(histograms, NULL, NULL) + cmocka_run_group_tests(sums, NULL, NULL);
}
