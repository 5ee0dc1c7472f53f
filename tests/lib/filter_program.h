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

#include "frames.h"
#include "config/cidr.h"
#include "config/values.h"
#include "kernel/explain.h"
#include "kernel/list_set.h"
#include "kernel/load_config.h"
#include "kernel/locals.h"
#include "kernel/programs.h"
#include "text/names.h"

struct filter {
	struct programs *programs;
	const struct maps *maps;
	struct list_set own, fleet; /* lists */
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

/* The reasons that need a port over its budget, and mostly a listener: tests/bpf/challenge.c gives those. */
static inline bool filter_is_budget(enum reason reason)
{
	switch (reason) {
	case REASON_VERIFIED:
	case REASON_COOKIE_ACK:
	case REASON_KNOWN:
	case REASON_NOT_SERVED:
	case REASON_NOT_LOCAL:
	case REASON_SIGNED:
	case REASON_UNANSWERABLE:
	case REASON_UNREADY:
	case REASON_CHALLENGED:
	case REASON_PORT_BUDGET:
	case REASON_ACCEPT_FULL:
	case REASON_STRAY_ACK:
	case REASON_STRAY_FIN:
	case REASON_STRAY_RST:
	case REASON_STRAY_SYNACK:
	case REASON_CLOSED_PORT:
		return true;
	default:
		return false;
	}
}

/* Where frames of tests/lib/frames.h go to, with the addresses beside; BPF_PROG_TEST_RUN shows them as come in on lo.
 */
static inline void filter_set_local(const struct filter *filter)
{
	static const char *const addresses[] = {"198.51.100.1", "198.51.100.2", "2001:db8:1::1", "2001:db8:1::2"};
	const struct net_link lo = {.mac = {2, 0, 0, 0, 0, 1}};
	static struct local local;

	memset(&local, 0, sizeof(local));
	assert_true(locals__add_mac(&local, 1, &lo, false));
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		struct prefix prefix;
		const char *why;

		assert_int_equal(parse_cidr(addresses[i], &prefix, &why), 0);
		assert_true(locals__add(&local, &prefix));
	}
	assert_int_equal(bpf_map_update_elem(filter->maps->locals, &(uint32_t){0}, &local, BPF_ANY), 0);
}

static inline void filter_open_lists(struct list_set *set, const struct filter *filter, const struct config *config,
				     enum list_set_kind kind)
{
	assert_int_equal(list_set__open(set, filter->maps, kind), 0);
	list_set__begin(set, config->hash_seed[HASH_SEED_LISTS],
			kind == LIST_SET_OWN ? config->list_entries : config->fleet_entries);
}

/* Puts an entry on a list; `expires_ns` 0: for good. */
static inline void filter_list(const struct list_set *set, enum list list, const struct prefix *prefix,
			       uint64_t expires_ns)
{
	struct list_entry before, entry = {.expires_ns = expires_ns, .prefixlen = prefix->prefixlen};
	bool is_new = !list_set__find(set, list, prefix, &before);

	assert_int_equal(list_set__put(set, list, prefix, &entry, is_new), 0);
}

static inline void filter_unlist(const struct list_set *set, enum list list, const struct prefix *prefix)
{
	assert_int_equal(list_set__take(set, list, prefix), 0);
}

/* Loads the filter as `run` would with these options, on a kernel that is PREEMPT_RT or is not. */
static inline void filter_load_for(struct filter *filter, const struct run_options *options, bool preempts)
{
	struct config config;

	assert_int_equal(load_config__make(&config, options), 0);
	config.preempts = preempts;
	load_config__lists(&config, options->max_entries ?: LIST_ENTRIES_OWN, options->fleet_entries);
	assert_int_equal(programs__load(&filter->programs, &config, PROGRAMS_FILTER, NULL), 0);
	filter->maps = programs__maps(filter->programs);
	assert_int_equal(load_config__rules(&config, options, filter->maps->port_rules), 0);
	assert_int_equal(load_config__strays(&config, options, filter->maps->strays), 0);
	filter->fd = programs__filter_fd(filter->programs);
	filter->dry_run = options->dry_run;
	filter_set_local(filter);
	filter->fleet = (struct list_set){};
	filter_open_lists(&filter->own, filter, &config, LIST_SET_OWN);
	if (config.fleet_entries)
		filter_open_lists(&filter->fleet, filter, &config, LIST_SET_FLEET);
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
	list_set__close(&filter->own);
	list_set__close(&filter->fleet);
	programs__free(filter->programs);
	filter->programs = NULL;
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

/* Whether explain_packet, asked before the frame is run, gives the reason that the filter will. */
static inline bool filter_explains(const struct filter *filter, const char *what, const struct frame *frame,
				   enum reason expected)
{
	int program = programs__explain_fd(filter->programs);
	struct explanation answer = {};

	if (explain__frame(program, 0, frame->bytes, frame->len, SAY(frame->linear, frame->len), &answer)) {
		print_error("%s: cannot be explained: %s\n", what, strerror(errno));
		return false;
	}
	if (answer.reason == expected)
		return true;
	print_error("%s: explained as %s, expected %s\n", what, print_reason(answer.reason), print_reason(expected));
	return false;
}

/* Runs a frame; false after a message unless explain_packet foretells the reason, and the frame leaves unchanged, with
 * this reason, its action and its count. */
static inline bool filter_expect(const struct filter *filter, const char *what, const struct frame *frame,
				 enum reason expected)
{
	static struct frame out;
	struct verdict_count before[REASON_MAX], after[REASON_MAX];
	int action, right = filter->dry_run ? XDP_PASS : filter_action(expected);

	if (!filter_explains(filter, what, frame, expected))
		return false;
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
