// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_packet: it changes nothing, whatever it is asked, and says what its answer rests on. That it gives the reason
 * that filter_packet then gives is asked for every frame of the other tests (tests/lib/filter_program.h).
 *
 * test: asan-slow kernels-quick
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"

static struct explanation explain(const struct filter *filter, bool burst)
{
	struct explanation answer = {.burst = burst};
	int program = programs__explain_fd(filter->programs);

	assert_int_equal(explain__frame(program, 0, frame.bytes, frame.len, frame.len, &answer), 0);
	return answer;
}

/* FNV-1a over all entries of an array, by key. */
static uint64_t digest(int map, uint64_t hash)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	size_t size;
	uint8_t *value;

	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &len), 0);
	size = info.type == BPF_MAP_TYPE_PERCPU_ARRAY ? (info.value_size + 7) / 8 * 8 * libbpf_num_possible_cpus()
						      : info.value_size;
	value = calloc(1, size);
	assert_non_null(value);
	for (uint32_t key = 0; key < info.max_entries; key++) {
		assert_int_equal(bpf_map_lookup_elem(map, &key, value), 0);
		for (size_t i = 0; i < size; i++)
			hash = (hash ^ value[i]) * 0x100000001b3;
	}
	free(value);
	return hash;
}

/* Of every map that filter_packet writes to, but for the scratch. */
static uint64_t digest_all(const struct maps *maps)
{
	const int written[] = {maps->verdicts,	    maps->sketches,    maps->sources,	    maps->source_drops,
			       maps->port_tats,	    maps->samples,     maps->armed,	    maps->verified,
			       maps->verified_tags, maps->known_marks, maps->distinct_srcs, maps->ports,
			       maps->losses};
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < COUNT_OF(written); i++)
		hash = digest(written[i], hash);
	return hash;
}

static const struct case_row {
	const char *what;
	struct frame_spec frame;
	enum reason reason;
} rows[] = {
	{"a SYN over budget", {.dport = PORT}, REASON_CHALLENGED},
	{"a port without a listener", {.dport = PORT_UNHEARD}, REASON_NOT_SERVED},
	{"an address that is not served", {.dport = PORT_UNSERVED}, REASON_NOT_SERVED},
	{"another port", {.dport = 9}, REASON_SYN},
	{"the first of several fragments", {.fragment = IP4_MF}, REASON_PORT_BUDGET},
	{"a later fragment", {.fragment = 100}, REASON_FRAGMENT},
	{"a segment", {.flags = ACK}, REASON_STRAY_ACK},
	{"a segment to another port", {.flags = ACK, .dport = 9}, REASON_SEGMENT},
	{"not TCP", {.protocol = IPPROTO_UDP}, REASON_NOT_TCP},
	{"no flags", {.flags = SAID(0)}, REASON_TCP_NO_FLAGS},
};

static void changes_nothing(void **state)
{
	uint64_t before;
	uint32_t ack;

	(void)state;
	exhaust(&enforcing);
	ack = challenge(&(struct frame_spec){}, IP4) + 1; /* which arms the port */
	before = digest_all(enforcing.maps);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		build(&rows[i].frame, IP4);
		for (int burst = 0; burst < 2; burst++)
			if (explain(&enforcing, burst).reason != rows[i].reason)
				fail_msg("%s: explained as %s", rows[i].what,
					 print_reason(explain(&enforcing, burst).reason));
	}
	build_segment(&(struct frame_spec){}, IP4, ACK, ack);
	assert_int_equal(explain(&enforcing, false).reason, REASON_COOKIE_ACK);
	assert_true(before == digest_all(enforcing.maps));
	assert_true(filter_expect(&enforcing, "the cookie's ACK", &frame, REASON_COOKIE_ACK));
	assert_false(before == digest_all(enforcing.maps));

	before = digest_all(enforcing.maps);
	build(&(struct frame_spec){}, IP4);
	for (int i = 0; i < 300; i++)
		assert_int_equal(explain(&enforcing, false).reason, REASON_VERIFIED);
	assert_true(before == digest_all(enforcing.maps));
}

/* The listener is not told to expect a cookie, as bpf_tcp_gen_syncookie() would: what acknowledges one is stray. */
static void makes_no_cookie(void **state)
{
	uint32_t ack;

	(void)state;
	exhaust(&enforcing);
	tag_verified(&enforcing, 0);
	ack = challenge(&(struct frame_spec){}, IP4) + 1;
	listen_anew(IP4);
	build(&(struct frame_spec){}, IP4);
	assert_int_equal(explain(&enforcing, false).reason, REASON_CHALLENGED);
	build_segment(&(struct frame_spec){}, IP4, ACK, ack);
	assert_true(filter_expect(&enforcing, "an ACK", &frame, REASON_STRAY_ACK));
}

static void source_limit(void **state)
{
	struct filter limited;
	uint64_t before;

	(void)state;
	load(&limited, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO, .source_limit = 1},
	     SERVED);
	build(&(struct frame_spec){.dport = 9}, IP4);
	before = digest_all(limited.maps);
	for (int i = 0; i < 100; i++)
		assert_int_equal(explain(&limited, false).reason, REASON_SYN);
	assert_true(before == digest_all(limited.maps));
	for (int i = 0; i < 100; i++)
		filter_run(&limited, &frame, NULL);
	before = digest_all(limited.maps);
	assert_int_equal(explain(&limited, false).reason, REASON_SOURCE_LIMIT);
	assert_true(before == digest_all(limited.maps));
	filter_free(&limited);
}

/* What the answer rests on, and a port that has budget left but is armed: a burst finds none. */
static void facts(void **state)
{
	const uint64_t end = filter_clock() + HOUR_NS;
	struct prefix prefix = {.prefixlen = 120, .words = {0, 0, htonl(0xffff), htonl(0xc0000200)}};
	struct port_gcra armed = {.syns.armed_until_ns = filter_clock() + HOUR_NS};
	uint32_t slot = slot_of(PORT);
	struct explanation answer;

	(void)state;
	assert_int_equal(bpf_map_update_elem(enforcing.maps->port_tats, &slot, &armed, BPF_ANY), 0);
	build(&(struct frame_spec){}, IP4);
	answer = explain(&enforcing, false);
	assert_int_equal(answer.reason, REASON_SYN);
	assert_int_equal(answer.budget, BUDGET);
	assert_true(answer.armed && !answer.own_rule && !answer.verified && !answer.served);
	answer = explain(&enforcing, true);
	assert_int_equal(answer.reason, REASON_CHALLENGED);
	assert_true(answer.armed && answer.served);
	exhaust(&enforcing);

	filter_list(&enforcing.own, LIST_BLOCK, &prefix, end);
	answer = explain(&enforcing, false);
	assert_int_equal(answer.reason, REASON_BLOCKED);
	assert_int_equal(answer.prefixlen, 120);
	assert_true(answer.until_ns == end);
	filter_unlist(&enforcing.own, LIST_BLOCK, &prefix);
}

/* explain__syn() builds the SYN itself, and finds a connection by its port. */
static void built_syn(void **state)
{
	int program = programs__explain_fd(enforcing.programs), failures = 0, client;
	struct explanation answer;

	(void)state;
	net_sysctl("tcp_syncookies", 1);
	exhaust(&enforcing);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		struct explain_syn syn = {.port = PORT_HALF_OPEN};

		build(&(struct frame_spec){}, ip6);
		syn.from.words[2] = syn.to.words[2] = htonl(0xffff);
		memcpy(ip6 ? syn.from.bytes : &syn.from.bytes[12], frame.bytes + frame.ip + (ip6 ? 8 : 12),
		       ip6 ? 16 : 4);
		memcpy(ip6 ? syn.to.bytes : &syn.to.bytes[12], frame.bytes + frame.ip + (ip6 ? 24 : 16), ip6 ? 16 : 4);
		client = net_connect(ip6, PORT_HALF_OPEN);
		failures += explain__syn(program, &syn, &answer) || answer.reason != REASON_UNREADY;
		syn.from_port = CLIENT_PORT;
		failures += explain__syn(program, &syn, &answer) || answer.reason != REASON_KNOWN;
		net_reset(client);
		syn.from.bytes[0] = 0xfe;
		syn.from.bytes[1] = 0x80;
		failures += ip6 && (explain__syn(program, &syn, &answer) || answer.reason != REASON_NOT_SERVED);
	}
	net_sysctl("tcp_syncookies", 2);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_nothing), cmocka_unit_test(makes_no_cookie), cmocka_unit_test(source_limit),
		cmocka_unit_test(facts),	   cmocka_unit_test(built_syn),
	};

	return cmocka_run_group_tests_name("explain", tests, set_up, tear_down);
}
