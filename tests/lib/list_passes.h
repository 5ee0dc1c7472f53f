/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passes over a set of lists (kernel/list_set.h), as `run` makes them once a second. For use after filter_program.h.
 */
#ifndef SYNWARDEN_TESTS_LIST_PASSES_H
#define SYNWARDEN_TESTS_LIST_PASSES_H

static inline struct prefix v4_prefix(uint32_t addr, unsigned length)
{
	uint32_t mask = length ? ~0U << (32 - length) : 0;

	return (struct prefix){96 + length, {0, 0, htonl(0xffff), htonl(addr & mask)}};
}

/* The rest of a pass, or a whole one. */
static inline void finish_pass(const struct list_set *set, struct list_pass *pass, uint64_t now)
{
	uint32_t passes = set->control->passes;

	do
		assert_int_equal(list_set__tend(set, pass, now), 0);
	while (pass->stage);
	assert_int_equal(set->control->passes, passes + 1);
}

static inline void run_pass_at(const struct list_set *set, uint64_t now)
{
	struct list_pass pass = {.changes = UINT64_MAX};

	finish_pass(set, &pass, now);
}

static inline void run_pass(const struct list_set *set)
{
	run_pass_at(set, filter_clock());
}

#endif
