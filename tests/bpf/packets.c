// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets through the real filter program: each must leave unchanged, with the action of its reason, and grow the
 * counter of that reason alone. Lists and counts by port; in the end every reason there is must have been given.
 * Frames below 14 bytes are missing: BPF_PROG_TEST_RUN takes none.
 *
 * test: asan-slow kernels-quick
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/options.h"
#include "config/cidr.h"
#include "config/values.h"
#include "lib/filter_program.h"
#include "lib/text.h"
#include "packets_ipv4.h"
#include "packets_ipv6.h"
#include "packets_lists.h"
#include "packets_tcp.h"

static struct filter enforcing, dry;
static struct frame frame;

enum { IP4, IP6 };

struct table {
	const struct packet_case *cases;
	size_t case_count;
	const struct packet_sweep *sweeps;
	size_t sweep_count;
};

#define TABLE(name)                                                                                                    \
	static const struct table name##_table = {name##_packets, COUNT_OF(name##_packets), name##_sweeps,             \
						  COUNT_OF(name##_sweeps)}
TABLE(link);
TABLE(ipv4);
TABLE(ipv6);
TABLE(tcp);

static int run_cases(const struct filter *filter, const struct table *table, bool ip6)
{
	int failures = 0;

	for (size_t i = 0; i < table->case_count; i++) {
		const struct packet_case *row = &table->cases[i];
		struct frame_spec spec = row->frame;

		spec.ip6 |= ip6;
		frame_build(&frame, &spec);
		failures += !filter_expect(filter, row->what, &frame, row->reason);
	}
	return failures;
}

static void set_field(struct frame_spec *spec, const struct packet_sweep *sweep, uint32_t value)
{
	switch (sweep->field) {
	case KEEP:
		spec->keep = SAID(value);
		break;
	case CUT:
		spec->cut = SAID(value);
		break;
	case LINEAR:
		spec->linear = SAID(value);
		break;
	case IHL:
		spec->ihl = SAID(value);
		break;
	case DOFF:
		spec->doff = SAID(value);
		break;
	}
}

/* Before 6.18, BPF_PROG_TEST_RUN itself decides how a frame is spread over buffers. */
static bool can_spread(const struct filter *filter)
{
	frame_build(&frame, &(struct frame_spec){.linear = 20});
	return filter_run(filter, &frame, NULL) != -EINVAL;
}

static int run_sweeps(const struct filter *filter, const struct table *table, bool ip6)
{
	bool spread = can_spread(filter);
	char what[128];
	int failures = 0;

	for (size_t i = 0; i < table->sweep_count; i++) {
		const struct packet_sweep *sweep = &table->sweeps[i];

		if (sweep->field == LINEAR && !spread)
			continue;
		for (uint32_t value = sweep->first; value <= sweep->last; value++) {
			struct frame_spec spec = sweep->frame;

			spec.ip6 |= ip6;
			set_field(&spec, sweep, value);
			frame_build(&frame, &spec);
			snprintf(what, sizeof(what), "%s, at %u", sweep->what, value);
			failures += !filter_expect(filter, what, &frame, sweep->reason);
		}
	}
	return failures;
}

static int run_flags(const struct filter *filter, bool ip6)
{
	char what[32];
	int failures = 0;

	for (unsigned flags = 0; flags < 256; flags++) {
		size_t row = 0;

		while ((flags & tcp_flags[row].mask) != tcp_flags[row].set)
			row++;
		snprintf(what, sizeof(what), "TCP flags 0x%02x", flags);
		frame_build(&frame, &(struct frame_spec){.ip6 = ip6, .flags = SAID(flags)});
		failures += !filter_expect(filter, what, &frame, tcp_flags[row].reason);
	}
	return failures;
}

static int run_table(const struct filter *filter, const struct table *table, bool ip6)
{
	return run_cases(filter, table, ip6) + run_sweeps(filter, table, ip6);
}

static void link_and_vlan(void **state)
{
	(void)state;
	assert_int_equal(run_table(&enforcing, &link_table, IP4), 0);
}

static void ipv4(void **state)
{
	(void)state;
	assert_int_equal(run_table(&enforcing, &ipv4_table, IP4), 0);
}

static void ipv6(void **state)
{
	(void)state;
	assert_int_equal(run_table(&enforcing, &ipv6_table, IP6), 0);
}

static void tcp(void **state)
{
	(void)state;
	assert_int_equal(run_table(&enforcing, &tcp_table, IP4) + run_table(&enforcing, &tcp_table, IP6), 0);
}

static void tcp_flag_sets(void **state)
{
	(void)state;
	assert_int_equal(run_flags(&enforcing, IP4) + run_flags(&enforcing, IP6), 0);
}

/* The same reasons and counts, but every packet passes. */
static void dry_run(void **state)
{
	(void)state;
	assert_int_equal(run_table(&dry, &link_table, IP4) + run_table(&dry, &ipv4_table, IP4) +
				 run_table(&dry, &ipv6_table, IP6) + run_table(&dry, &tcp_table, IP4) +
				 run_table(&dry, &tcp_table, IP6),
			 0);
}

static void list_put(const struct list_set *set, const struct list_row *row, uint64_t expires_ns)
{
	struct prefix prefix;
	const char *why;

	if (parse_cidr(row->cidr, &prefix, &why))
		fail_msg("%s: not %s", row->cidr, why);
	filter_list(set, row->allow ? LIST_ALLOW : LIST_BLOCK, &prefix, expires_ns);
}

/* The pass leaves a filter that knows of no other entries than there are. */
static void lists_clear(const struct list_set *set, const struct list_row *rows)
{
	struct list_pass pass = {};

	for (; rows->cidr; rows++) {
		struct prefix prefix;
		const char *why;

		assert_int_equal(parse_cidr(rows->cidr, &prefix, &why), 0);
		filter_unlist(set, rows->allow ? LIST_ALLOW : LIST_BLOCK, &prefix);
	}
	assert_int_equal(list_set__tend(set, &pass, filter_clock()), 0);
	if (!list_set__count(set, LIST_ALLOW) && !list_set__count(set, LIST_BLOCK))
		assert_int_equal(set->control->levels[set->control->current], 0);
}

static enum reason reason_of(enum reason reason, enum list_set_kind kind)
{
	if (kind == LIST_SET_FLEET && reason == REASON_ALLOWED)
		return REASON_FLEET_ALLOWED;
	return kind == LIST_SET_FLEET && reason == REASON_BLOCKED ? REASON_FLEET_BLOCKED : reason;
}

static int run_lists(const struct filter *filter, enum list_set_kind kind)
{
	const struct list_set *set = kind == LIST_SET_FLEET ? &filter->fleet : &filter->own;
	const uint64_t ends[] = {[LIFE_HOUR] = filter_clock() + 3600000000000, [LIFE_OVER] = 1};
	int failures = 0;

	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		const struct list_case *row = &list_cases[i];

		for (const struct list_row *entry = row->rows; entry->cidr; entry++)
			list_put(set, entry, ends[entry->life]);
		frame_build(&frame, &row->frame);
		failures += !filter_expect(filter, row->what, &frame, reason_of(row->reason, kind));
		lists_clear(set, row->rows);
	}
	return failures;
}

static void lists(void **state)
{
	(void)state;
	assert_int_equal(run_lists(&enforcing, LIST_SET_OWN), 0);
}

static void lists_of_the_fleet(void **state)
{
	(void)state;
	assert_int_equal(run_lists(&enforcing, LIST_SET_FLEET), 0);
}

/* Both sets have the source on the lists that the bits say; this host's own decide first, and allow before block. */
static void lists_in_order(void **state)
{
	static const enum reason reasons[] = {REASON_ALLOWED, REASON_BLOCKED, REASON_FLEET_ALLOWED,
					      REASON_FLEET_BLOCKED, REASON_SYN};
	static const struct list_row rows[] = {LIVE(ALLOW, "192.0.2.0/24"), LIVE(BLOCK, "192.0.2.1"),
					       LIVE(ALLOW, "192.0.0.0/9"), LIVE(BLOCK, "192.0.2.1")};
	int failures = 0;

	(void)state;
	frame_build(&frame, &(struct frame_spec){});
	for (unsigned bits = 0; bits < 1U << COUNT_OF(rows); bits++) {
		enum reason reason = reasons[bits ? (size_t)__builtin_ctz(bits) : COUNT_OF(rows)];

		for (unsigned i = 0; i < COUNT_OF(rows); i++)
			if (bits & 1U << i)
				list_put(i < 2 ? &enforcing.own : &enforcing.fleet, &rows[i], 0);
		failures += !filter_expect(&enforcing, "lists in order", &frame, reason);
		for (unsigned i = 0; i < COUNT_OF(rows); i++)
			if (bits & 1U << i)
				lists_clear(i < 2 ? &enforcing.own : &enforcing.fleet,
					    (struct list_row[]){rows[i], {}});
	}
	assert_int_equal(failures, 0);
}

/* Where the first buffer ends within or behind the IP header, the addresses are known, and the lists are asked. */
static void lists_over_two_buffers(void **state)
{
	static const struct frame_spec frames[] = {
		{.linear = SAID(34)}, {.linear = SAID(50), .ip_options = 40}, {.linear = SAID(54), .ip6 = true}};
	static const struct list_row rows[] = {LIVE(BLOCK, "192.0.2.1"), LIVE(BLOCK, "2001:db8::1")};
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(frames); i++) {
		frame_build(&frame, &frames[i]);
		failures += !filter_expect(&enforcing, "two buffers, no lists", &frame, REASON_NOT_LINEAR);
		list_put(&enforcing.own, &rows[frames[i].ip6], 0);
		failures += !filter_expect(&enforcing, "two buffers, blocked", &frame, REASON_BLOCKED);
		lists_clear(&enforcing.own, (struct list_row[]){rows[frames[i].ip6], {}});
	}
	assert_int_equal(failures, 0);
}

static void lists_dry_run(void **state)
{
	(void)state;
	assert_int_equal(run_lists(&dry, LIST_SET_OWN), 0);
}

/* An entry's time runs out between two packets. */
static void list_entry_expires(void **state)
{
	static const struct list_row rows[] = {LIVE(BLOCK, "192.0.2.0/24"), {}};
	uint64_t end = filter_clock() + 100000000;
	int action;

	(void)state;
	list_put(&enforcing.own, rows, end);
	frame_build(&frame, &(struct frame_spec){});
	do {
		action = filter_run(&enforcing, &frame, NULL);
	} while (action == XDP_DROP && filter_clock() < end + 1000000000);
	assert_int_equal(action, XDP_PASS);
	assert_true(filter_clock() >= end);
	lists_clear(&enforcing.own, rows);
}

static uint64_t port_syns(uint32_t slot)
{
	struct port_count count;

	filter_sum(enforcing.maps->ports, slot, (uint64_t *)&count, sizeof(count) / sizeof(uint64_t));
	return count.syns[VERDICT_PASS] + count.syns[VERDICT_DROP] + count.syns[VERDICT_TX];
}

static void listen_on(uint32_t port, uint16_t slot)
{
	struct listener listener = {.slot = slot, .listening = 1};

	assert_int_equal(bpf_map_update_elem(enforcing.maps->listeners, &port, &listener, BPF_ANY), 0);
}

static void syns_by_port(void **state)
{
	static const struct list_row rows[] = {LIVE(ALLOW, "192.0.2.7"), LIVE(BLOCK, "2001:db8:7::/48"), {}};
	uint64_t other = port_syns(0), third = port_syns(3), last = port_syns(MAX_PORTS - 1);
	int failures = 0;

	(void)state;
	listen_on(8080, 3);
	listen_on(65535, MAX_PORTS - 1);
	listen_on(443, MAX_PORTS);
	list_put(&enforcing.own, &rows[0], 0);
	list_put(&enforcing.own, &rows[1], 0);
	for (size_t i = 0; i < COUNT_OF(port_packets); i++) {
		frame_build(&frame, &port_packets[i].frame);
		failures += !filter_expect(&enforcing, port_packets[i].what, &frame, port_packets[i].reason);
	}
	lists_clear(&enforcing.own, rows);
	assert_int_equal(failures, 0);
	assert_int_equal(port_syns(3) - third, PORT_SYNS_8080);
	assert_int_equal(port_syns(MAX_PORTS - 1) - last, PORT_SYNS_65535);
	assert_int_equal(port_syns(0) - other, PORT_SYNS_OTHER);
}

/* A burst far over the limit; tests/bpf/source_limit.c tells how well the limit is held. */
static void source_limit(void **state)
{
	const struct frame_spec *spec, specs[] = {{}, {.ip6 = true}, {.tags = {ETH_P_8021Q}, .from = "192.0.2.9"}};
	struct filter limited;
	int failures = 0;

	(void)state;
	filter_load(&limited, &(struct run_options){.source_limit = 1});
	for (spec = specs; spec < specs + COUNT_OF(specs); spec++) {
		frame_build(&frame, spec);
		for (int i = 0; i < 1000 && filter_run(&limited, &frame, NULL) != XDP_DROP; i++)
			;
		failures += !filter_expect(&limited, "SYN over the limit", &frame, REASON_SOURCE_LIMIT);
		frame.bytes[frame.ip + (frame.ip6 ? 53 : 33)] = ACK;
		failures += !filter_expect(&limited, "segment of a source over its limit", &frame, REASON_SEGMENT);
	}
	list_put(&limited.own, &(struct list_row)LIVE(ALLOW, "192.0.2.1"), 0);
	frame_build(&frame, &(struct frame_spec){});
	failures += !filter_expect(&limited, "allowed source over its limit", &frame, REASON_ALLOWED);
	filter_free(&limited);
	assert_int_equal(failures, 0);
}

static void every_reason_was_given(void **state)
{
	(void)state;
	for (int reason = 0; reason < REASON_MAX; reason++)
		if (!filter_seen[reason] && !filter_is_budget(reason))
			fail_msg("no packet was given the reason %s", print_reason(reason));
}

static int load(void **state)
{
	(void)state;
	filter_load(&enforcing, &(struct run_options){.fleet_entries = LIST_ENTRIES_MIN});
	filter_load(&dry, &(struct run_options){.dry_run = true});
	return 0;
}

static int unload(void **state)
{
	(void)state;
	filter_free(&enforcing);
	filter_free(&dry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_and_vlan),
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(tcp),
		cmocka_unit_test(tcp_flag_sets),
		cmocka_unit_test(dry_run),
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_of_the_fleet),
		cmocka_unit_test(lists_in_order),
		cmocka_unit_test(lists_over_two_buffers),
		cmocka_unit_test(lists_dry_run),
		cmocka_unit_test(list_entry_expires),
		cmocka_unit_test(syns_by_port),
		cmocka_unit_test(source_limit),
		cmocka_unit_test(every_reason_was_given),
	};

	return cmocka_run_group_tests_name("packets", tests, load, unload);
}
