// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes to a port that is armed and is not a SYN, against real sockets in a network namespace of the test's own:
 * what carries a cookie, what belongs to nothing, and what is left alone. The challenge itself: tests/challenge.c.
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
	{"SYN-ACK", SYN | ACK, 0, REASON_STRAY_ACK},
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

/* What the driver brings together with an answer comes by before the kernel has made a socket of it. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strays),
		cmocka_unit_test(what_follows_an_answer),
		cmocka_unit_test(link_local_is_left_alone),
		cmocka_unit_test(segments_that_pass),
		cmocka_unit_test(stale_cookies),
	};

	return cmocka_run_group_tests_name("segments", tests, set_up, tear_down);
}
