/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real filter program, loaded but attached nowhere, and fed by BPF_PROG_TEST_RUN. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_FILTER_H
#define SYNWARDEN_TESTS_FILTER_H

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "config.h"
#include "frames.h"
#include "guard.h"
#include "print.h"

struct filter {
	struct guard *guard;
	const struct maps *maps;
	int fd;
	bool dry_run;
};

/* Reasons that some packet was given, as it should be. */
static bool filter_seen[REASON_MAX];

/* The clock of list entries and limits. */
static inline uint64_t filter_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The reasons that need a port over its budget, and mostly a listener: tests/challenge.c gives those. */
static inline bool filter_is_budget(enum reason reason)
{
	switch (reason) {
	case REASON_VERIFIED:
	case REASON_COOKIE_ACK:
	case REASON_KNOWN:
	case REASON_NOT_SERVED:
	case REASON_UNREADY:
	case REASON_CHALLENGED:
	case REASON_PORT_BUDGET:
	case REASON_ACCEPT_FULL:
	case REASON_STRAY_ACK:
	case REASON_STRAY_FIN:
	case REASON_STRAY_RST:
		return true;
	default:
		return false;
	}
}

/* Loads the filter as `run` would with these options, on a kernel that is PREEMPT_RT or is not. */
static inline void filter_load_for(struct filter *filter, const struct run_options *options, bool preempts)
{
	struct config config;

	assert_int_equal(config__make(&config, options), 0);
	config.preempts = preempts;
	assert_int_equal(guard__load(&filter->guard, &config, GUARD_FILTER, NULL), 0);
	filter->maps = guard__maps(filter->guard);
	assert_int_equal(config__rules(&config, options, filter->maps->port_rules), 0);
	filter->fd = guard__filter_fd(filter->guard);
	filter->dry_run = options->dry_run;
	/* The tables put entries into the tries themselves. */
	for (__u32 list = 0; list < LIST_MAX; list++)
		assert_int_equal(bpf_map_update_elem(filter->maps->lists_used, &list, &(__u32){1}, BPF_ANY), 0);
}

static inline void filter_load(struct filter *filter, const struct run_options *options)
{
	filter_load_for(filter, options, false);
}

/* The tag of every slot for a verified source. */
static inline void tag_verified(const struct filter *filter, uint8_t tag)
{
	static uint8_t tags[MAX_VERIFIED];

	memset(tags, tag, sizeof(tags));
	assert_int_equal(bpf_map_update_elem(filter->maps->verified_tags, &(uint32_t){0}, tags, BPF_ANY), 0);
}

/* How many sources count as verified. */
static inline uint64_t count_verified(const struct filter *filter)
{
	static uint8_t tags[MAX_VERIFIED];
	uint64_t count = 0;

	assert_int_equal(bpf_map_lookup_elem(filter->maps->verified_tags, &(uint32_t){0}, tags), 0);
	for (size_t i = 0; i < MAX_VERIFIED; i++)
		count += tags[i] != 0;
	return count;
}

/* Goes on running on the next of the CPUs `all`, in turn. */
static inline void filter_run_on(const cpu_set_t *all, unsigned turn)
{
	int nth = turn % CPU_COUNT(all), cpu = 0;
	cpu_set_t one;

	while (!CPU_ISSET(cpu, all) || nth--)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static inline void filter_free(struct filter *filter)
{
	guard__free(filter->guard);
	filter->guard = NULL;
}

/* The XDP action; -errno where the kernel does not run such a frame. `after`, where not NULL, receives the frame. */
static inline int filter_run(const struct filter *filter, const struct frame *frame, struct frame *after)
{
	struct xdp_md buffer = {.data_end = SAY(frame->linear, frame->len)};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len);

	if (frame->linear) {
		run.ctx_in = &buffer;
		run.ctx_size_in = sizeof(buffer);
	}
	if (after) {
		run.data_out = after->bytes;
		run.data_size_out = sizeof(after->bytes);
	}
	if (bpf_prog_test_run_opts(filter->fd, &run))
		return -errno;
	if (after)
		after->len = run.data_size_out;
	return run.retval;
}

/* Adds up the 64-bit words of one entry of a per-CPU map. */
static inline void filter_sum(int map, uint32_t key, uint64_t *sums, size_t words)
{
	size_t cpus = libbpf_num_possible_cpus(), cpu, i;
	uint64_t values[cpus * words];

	assert_int_equal(bpf_map_lookup_elem(map, &key, values), 0);
	memset(sums, 0, words * sizeof(*sums));
	for (cpu = 0; cpu < cpus; cpu++)
		for (i = 0; i < words; i++)
			sums[i] += values[cpu * words + i];
}

static inline void filter_verdicts(const struct filter *filter, struct verdict_count sums[REASON_MAX])
{
	_Static_assert(sizeof(*sums) == 2 * sizeof(uint64_t), "two words");

	for (uint32_t reason = 0; reason < REASON_MAX; reason++)
		filter_sum(filter->maps->verdicts, reason, (uint64_t *)&sums[reason], 2);
}

static inline int filter_action(enum reason reason)
{
	static const int actions[REASON_MAX] = {
#define X(name, action, label, help) [REASON_##name] = XDP_##action,
		REASONS(X)
#undef X
	};

	return actions[reason];
}

/* Whether this reason's counter alone grew, by one packet of `len` bytes. */
static inline bool filter_counted(const char *what, const struct verdict_count *before,
				  const struct verdict_count *after, enum reason expected, uint32_t len)
{
	bool good = true;

	for (int reason = 0; reason < REASON_MAX; reason++) {
		uint64_t packets = after[reason].packets - before[reason].packets;
		uint64_t bytes = after[reason].bytes - before[reason].bytes;
		uint64_t one = reason == (int)expected;

		if (packets == one && bytes == one * len)
			continue;
		print_error("%s: %s grew by %lu packets, %lu bytes; expected %s, 1 packet, %u bytes\n", what,
			    print_reason(reason), packets, bytes, print_reason(expected), len);
		good = false;
	}
	return good;
}

/* Runs a frame; false after a message unless it leaves unchanged, with this reason, its action and its count. */
static inline bool filter_expect(const struct filter *filter, const char *what, const struct frame *frame,
				 enum reason expected)
{
	static struct frame out;
	struct verdict_count before[REASON_MAX], after[REASON_MAX];
	int action, right = filter->dry_run ? XDP_PASS : filter_action(expected);

	filter_verdicts(filter, before);
	action = filter_run(filter, frame, &out);
	filter_verdicts(filter, after);
	if (action < 0) {
		print_error("%s: cannot be run: %s\n", what, strerror(-action));
		return false;
	}
	if (!filter_counted(what, before, after, expected, frame->len))
		return false;
	if (action != right) {
		print_error("%s: XDP action %d, expected %d\n", what, action, right);
		return false;
	}
	if (out.len != frame->len || memcmp(out.bytes, frame->bytes, out.len)) {
		print_error("%s: the frame was changed\n", what);
		return false;
	}
	filter_seen[expected] = true;
	return true;
}

#endif
