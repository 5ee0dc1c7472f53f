// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes to a port that is armed and is not a SYN, against real sockets in a network namespace of the test's own:
 * what carries a cookie, and whose, what belongs to nothing, and what is left alone. The challenge itself:
 * tests/bpf/challenge.c.
 *
 * test: asan-slow kernels-quick
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"
#include "packets.h"

/* clang-format off */
/* Segments that no socket is asked about, or for which there is none to ask. */
static const struct packet_case unjudged[] = {
	{"arms the port", {.dport = PORT_UNHEARD}, REASON_NOT_SERVED},
	{"no listener", {.dport = PORT_UNHEARD, .flags = ACK}, REASON_SEGMENT},
	{"a port without a slot", {.dport = 4711, .flags = ACK}, REASON_SEGMENT},
};

/* What comes after a challenge, its acknowledgement `off` from the right one. */
static const struct {
	const char *what;
	uint32_t flags, off;
	enum reason reason;
} segments[] = {
	{"ACK of nothing", ACK, 12345678, REASON_STRAY_ACK},
	{"ACK beside it (a cookie's lowest bits are one of four MSS)", ACK, 8, REASON_STRAY_ACK},
	{"data", PSH | ACK, 8, REASON_STRAY_ACK},
	{"SYN-ACK", SYN | ACK, 0, REASON_STRAY_SYNACK},
	{"neither ACK nor SYN", PSH, 0, REASON_STRAY_ACK},
	{"FIN", FIN, 0, REASON_STRAY_FIN},
	{"FIN and ACK", FIN | ACK, 8, REASON_STRAY_FIN},
	{"RST", RST, 0, REASON_STRAY_RST},
	{"RST with the right acknowledgement", RST | ACK, 0, REASON_STRAY_RST},
	{"data with a cookie", PSH | ACK, 0, REASON_COOKIE_ACK},
	{"FIN with a cookie", FIN | ACK, 0, REASON_COOKIE_ACK},
};
/* clang-format on */

/* A cookie is good for its connection alone: addresses, ports and sequence number are all in it. */
static void strays(void **state)
{
	const struct frame_spec syn = {}, other_source = {.from = "192.0.2.2"}, other_net = {.from = "2001:db8:2::1"};
	int failures = 0;
	uint32_t ack;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		ack = challenge(&syn, ip6) + 1;
		for (size_t i = 0; i < COUNT_OF(segments); i++) {
			build_segment(&syn, ip6, segments[i].flags, ack + segments[i].off);
			failures += !filter_expect(&enforcing, segments[i].what, &frame, segments[i].reason);
		}
		tag_verified(&enforcing, 0);
		build_segment(&syn, ip6, ACK, ack);
		frame.bytes[tcp_at(&syn) + 1]++;
		failures += !filter_expect(&enforcing, "from another port", &frame, REASON_STRAY_ACK);
		build_segment(&syn, ip6, ACK, ack);
		frame.bytes[tcp_at(&syn) + 7]++;
		failures += !filter_expect(&enforcing, "another sequence number", &frame, REASON_STRAY_ACK);
		build_segment(ip6 ? &other_net : &other_source, ip6, ACK, ack);
		failures += !filter_expect(&enforcing, "from another source", &frame, REASON_STRAY_ACK);
	}
	tag_verified(&enforcing, 0);
	assert_int_equal(failures, 0);
}

/* What the driver brings together with an answer arrives before the kernel has made a socket. */
static void what_follows_an_answer(void **state)
{
	const struct frame_spec syn = {}, other_source = {.from = "192.0.2.2"}, other_net = {.from = "2001:db8:2::1"};
	static const uint32_t flags[] = {ACK, PSH | ACK, FIN | ACK, RST | ACK};
	int failures = 0;
	uint32_t ack;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		ack = challenge(&syn, ip6) + 1;
		build_segment(&syn, ip6, PSH | ACK, ack);
		frame.bytes[tcp_at(&syn) + 6]++;
		failures += !filter_expect(&enforcing, "data before the answer", &frame, REASON_STRAY_ACK);
		build_segment(&syn, ip6, ACK, ack);
		failures += !filter_expect(&enforcing, "the answer", &frame, REASON_COOKIE_ACK);
		for (size_t i = 0; i < COUNT_OF(flags); i++) {
			build_segment(&syn, ip6, flags[i], ack);
			frame.bytes[tcp_at(&syn) + 6]++; /* 256 bytes further */
			failures += !filter_expect(&enforcing, "what follows it", &frame, REASON_SEGMENT);
		}
		build_segment(ip6 ? &other_net : &other_source, ip6, PSH | ACK, ack);
		failures += !filter_expect(&enforcing, "from another source", &frame, REASON_STRAY_ACK);
	}
	usleep(VERIFIED_FRESH_NS / 1000 + 50000);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		build_segment(&syn, ip6, PSH | ACK, ack);
		frame.bytes[tcp_at(&syn) + 6]++;
		failures += !filter_expect(&enforcing, "a second later", &frame, REASON_STRAY_ACK);
	}
	tag_verified(&enforcing, 0);
	assert_int_equal(failures, 0);
}

/* Its connections stand on the device that they came in by, which may not be ours. */
static void link_local_is_left_alone(void **state)
{
	const struct frame_spec near = {.from = "fe80::1"}, highest = {.from = "febf::1"}, far = {.from = "fec0::1"};
	int failures = 0;

	(void)state;
	challenge(&(struct frame_spec){}, IP6);
	build(&near, IP6);
	failures += !filter_expect(&enforcing, "a SYN over budget", &frame, REASON_NOT_SERVED);
	build_segment(&near, IP6, PSH | ACK, 4711);
	failures += !filter_expect(&enforcing, "a segment", &frame, REASON_SEGMENT);
	build_segment(&highest, IP6, PSH | ACK, 4711);
	failures += !filter_expect(&enforcing, "the highest such address", &frame, REASON_SEGMENT);
	build_segment(&far, IP6, PSH | ACK, 4711);
	failures += !filter_expect(&enforcing, "the address behind those", &frame, REASON_STRAY_ACK);
	assert_int_equal(failures, 0);
}

static void segments_that_pass(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unjudged); i++)
		failures += expect_both(&enforcing, unjudged[i].what, &unjudged[i].frame, unjudged[i].reason);
	disarm(&enforcing);
	failures += expect_both(&enforcing, "ACK, not armed", &(struct frame_spec){.flags = ACK}, REASON_SEGMENT);
	failures += expect_both(&enforcing, "RST, not armed", &(struct frame_spec){.flags = RST}, REASON_SEGMENT);
	challenge(&(struct frame_spec){}, IP4);
	failures += expect_both(&enforcing, "ACK, armed", &(struct frame_spec){.flags = ACK}, REASON_STRAY_ACK);
	failures += expect_both(&enforcing, "ACK, another port is armed",
				&(struct frame_spec){.flags = ACK, .dport = PORT_RCVBUF}, REASON_SEGMENT);
	assert_int_equal(failures, 0);
}

/* A listener that has sent no cookie for two minutes takes none: so it is with a new one. */
static void stale_cookies(void **state)
{
	int failures = 0;
	uint32_t ack;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		ack = challenge(&(struct frame_spec){}, ip6) + 1;
		listen_anew(ip6);
		build_segment(&(struct frame_spec){}, ip6, ACK, ack);
		failures += !filter_expect(&enforcing, "a listener's that has ended", &frame, REASON_STRAY_ACK);
		challenge(&(struct frame_spec){.from = ip6 ? "2001:db8:9::1" : "192.0.2.9"}, ip6);
		build_segment(&(struct frame_spec){}, ip6, ACK, ack);
		failures += !filter_expect(&enforcing, "now cookies are about", &frame, REASON_COOKIE_ACK);
	}
	tag_verified(&enforcing, 0);
	assert_int_equal(failures, 0);
}

/* One of the maps that only the kernel side knows. */
static int hidden_map(const struct filter *filter, const char *name)
{
	uint32_t ids[64], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.map_ids = (uintptr_t)ids, .nr_map_ids = COUNT_OF(ids)};

	assert_int_equal(bpf_obj_get_info_by_fd(filter->fd, &info, &len), 0);
	for (uint32_t i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		len = sizeof(map);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
		if (!strcmp(map.name, name))
			return fd;
		close(fd);
	}
	fail_msg("no map %s", name);
	return -1;
}

/* On every CPU a packet that was preempted is in the middle of the scratch, or none is. */
static void take_scratches(int map, uint32_t taken)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	char *values;

	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &len), 0);
	len = (info.value_size + 7) / 8 * 8;
	values = calloc(libbpf_num_possible_cpus(), len);
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		memcpy(values + cpu * len, &taken, sizeof(taken));
	assert_int_equal(bpf_map_update_elem(map, &(uint32_t){0}, values, BPF_ANY), 0);
	free(values);
}

/* PREEMPT_RT: a packet neither writes into another's answer nor has it checked; it is dropped, or left to the kernel.
 */
static void scratch_is_taken(void **state)
{
	struct filter preempted;
	int failures = 0, map;
	uint32_t ack;

	(void)state;
	load_for(&preempted, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO}, SERVED, true);
	map = hidden_map(&preempted, "scratches");
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		build(&(struct frame_spec){}, ip6);
		failures += !is_challenged(&preempted, "scratch free: a SYN");
		ack = cookie_of_reply() + 1;
		take_scratches(map, 1);
		build(&(struct frame_spec){}, ip6);
		failures += !filter_expect(&preempted, "scratch taken: a SYN", &frame, REASON_PORT_BUDGET);
		build_segment(&(struct frame_spec){}, ip6, ACK, 4711);
		failures += !filter_expect(&preempted, "scratch taken: an ACK", &frame, REASON_SEGMENT);
		build_segment(&(struct frame_spec){}, ip6, RST, 4711);
		failures += !filter_expect(&preempted, "scratch taken: a RST", &frame, REASON_STRAY_RST);
		take_scratches(map, 0);
		build_segment(&(struct frame_spec){}, ip6, ACK, 4711);
		failures += !filter_expect(&preempted, "scratch free again: an ACK", &frame, REASON_STRAY_ACK);
		build_segment(&(struct frame_spec){}, ip6, ACK, ack);
		failures += !filter_expect(&preempted, "scratch free again: a cookie", &frame, REASON_COOKIE_ACK);
	}
	close(map);
	filter_free(&preempted);
	assert_int_equal(failures, 0);
}

static uint64_t answered(const struct filter *filter)
{
	struct port_count count;

	filter_sum(filter->maps->ports, slot_of(PORT), (uint64_t *)&count, sizeof(count) / sizeof(uint64_t));
	return count.answered;
}

/* Challenged by `filter`, a SYN of the client from one port or another; its cookie's ACK, from any source. */
static uint32_t cookie_for(const struct filter *filter, uint8_t port)
{
	build(&(struct frame_spec){}, IP4);
	frame.bytes[tcp_at(&(struct frame_spec){})] ^= port;
	frame_sums(&frame);
	assert_true(is_challenged(filter, "a SYN"));
	return cookie_of_reply() + 1;
}

static void bring_back(const struct filter *filter, uint8_t port, uint32_t ack)
{
	build_segment(&(struct frame_spec){}, IP4, ACK, ack);
	frame.bytes[tcp_at(&(struct frame_spec){})] ^= port;
	frame_sums(&frame);
	assert_true(filter_expect(filter, "a cookie", &frame, REASON_COOKIE_ACK));
}

/* A browser connects several times at once: all are ours. The kernel sends a cookie for a SYN that goes past the
 * challenge, too: that is none of ours which came back. */
static void cookies_of_the_kernel(void **state)
{
	struct filter counted;
	uint32_t first, second, other;

	(void)state;
	load(&counted, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO}, SERVED);
	first = cookie_for(&counted, 0);
	second = cookie_for(&counted, 1);
	bring_back(&counted, 0, first);
	bring_back(&counted, 0, first);
	assert_int_equal(answered(&counted), 1);
	bring_back(&counted, 1, second);
	assert_int_equal(answered(&counted), 2);
	/* Made by another filter, it is the kernel's to this one. */
	other = cookie_for(&enforcing, 2);
	assert_true(filter_expect(&counted, "here it goes past", &frame, REASON_VERIFIED));
	bring_back(&counted, 2, other);
	assert_int_equal(answered(&counted), 2);
	filter_free(&counted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strays),
		cmocka_unit_test(what_follows_an_answer),
		cmocka_unit_test(link_local_is_left_alone),
		cmocka_unit_test(segments_that_pass),
		cmocka_unit_test(stale_cookies),
		cmocka_unit_test(cookies_of_the_kernel),
		cmocka_unit_test(scratch_is_taken),
	};

	return cmocka_run_group_tests_name("segments", tests, set_up, tear_down);
}
