// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports over their budget: which SYNs are challenged, dropped or let through, against real sockets in a network
 * namespace of the test's own, and the answers byte by byte. What becomes of what comes back: tests/bpf/segments.c; how
 * well a budget is held: tests/bpf/port_budget.c.
 *
 * test: asan-slow kernels-quick
 * fault: Verified sources fill their table | a source that answers takes a place | [0-9]* - all_slots_are_taken
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"
#include "challenge_syns.h"

/* One SYN, its answer, and that the cookie in it is taken; the source is then forgotten again. */
static bool run_syn(const struct syn_case *row, int ip6, bool timestamps)
{
	struct reply_spec spec = expected(ip6, 1500, timestamps ? &row->kept : NULL);
	char what[160];
	bool good;

	snprintf(what, sizeof(what), "%s, IPv%d, %s", row->what, ip6 ? 6 : 4, timestamps ? "timestamps" : "MSS alone");
	build(&row->frame, ip6);
	set_options(row->options, row->frame.tcp_options);
	good = is_challenged(&enforcing, what) && reply_is_right(what, &frame, tcp_at(&row->frame), &spec, &reply);
	build_segment(&row->frame, ip6, ACK, cookie_of_reply() + 1);
	good = good && filter_expect(&enforcing, what, &frame, REASON_COOKIE_ACK);
	tag_verified(&enforcing, 0);
	return good;
}

static void answers(void **state)
{
	int failures = 0;

	(void)state;
	for (int timestamps = 0; timestamps < 2; timestamps++) {
		keep_options(&enforcing, timestamps);
		for (size_t i = 0; i < COUNT_OF(syns); i++)
			for (int ip6 = 0; ip6 < FAMILIES; ip6++)
				if (syns[i].family == ANY || syns[i].family == ip6)
					failures += !run_syn(&syns[i], ip6, timestamps);
	}
	keep_options(&enforcing, false);
	assert_int_equal(failures, 0);
}

/* What the sysctls turn off is not offered, though the client would have it. */
static void answers_without(void **state)
{
	static const struct {
		const char *what;
		struct cookie_policy policy;
		struct offer kept;
	} rows[] = {
		{"no SACK",
		 {.timestamps = 1, .scaling = 1, .wscale = WSCALE, .ecn = 1},
		 {.stamped = true, .scale = 7, .ecn = true, .tsval = TSVAL}},
		{"no window scale",
		 {.timestamps = 1, .sack = 1, .wscale = WSCALE, .ecn = 1},
		 {.stamped = true, .no_scale = true, .sack = true, .ecn = true, .tsval = TSVAL}},
		{"no ECN", {.timestamps = 1, .sack = 1, .scaling = 1, .wscale = WSCALE}, KEPT_LINUX},
	};
	static const struct frame_spec spec = {.flags = SYN | ECE | CWR, .tcp_options = 20};
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reply_spec right = expected(IP4, 1500, &rows[i].kept);

		assert_int_equal(
			bpf_map_update_elem(enforcing.maps->cookie_policy, &(uint32_t){0}, &rows[i].policy, BPF_ANY),
			0);
		build(&spec, IP4);
		set_options((uint8_t[]){LINUX}, 20);
		failures += !is_challenged(&enforcing, rows[i].what) ||
			    !reply_is_right(rows[i].what, &frame, tcp_at(&spec), &right, &reply);
	}
	keep_options(&enforcing, false);
	assert_int_equal(failures, 0);
}

static void answers_by_mtu(void **state)
{
	static const uint16_t mtus[] = {1280, 1492, 9000, 1500};
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(mtus); i++) {
		net_mtu(mtus[i]);
		for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
			struct reply_spec spec = expected(ip6, mtus[i], NULL);

			challenge(&(struct frame_spec){}, ip6);
			failures += !reply_is_right("by MTU", &frame, tcp_at(&(struct frame_spec){}), &spec, &reply);
		}
	}
	assert_int_equal(failures, 0);
}

/* The kernel computes another window scale for such a listener, so none is offered. */
static void answers_for_small_buffer(void **state)
{
	static const struct frame_spec spec = {.dport = PORT_RCVBUF, .tcp_options = 20};
	int failures = 0;

	(void)state;
	keep_options(&enforcing, true);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		struct reply_spec right = expected(ip6, 1500, NULL);

		right.window = 8192 - 8192 % right.mss;
		build(&spec, ip6);
		set_options((uint8_t[]){LINUX}, 20);
		failures += !is_challenged(&enforcing, "SO_RCVBUF") ||
			    !reply_is_right("SO_RCVBUF", &frame, tcp_at(&spec), &right, &reply);
	}
	keep_options(&enforcing, false);
	assert_int_equal(failures, 0);
}

/* A listener that has a key gets what is signed; what is not may be of a peer without one. */
static void what_is_signed(void **state)
{
	static const struct frame_spec syn = {.tcp_options = 20};
	int failures = 0;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		struct tcp_md5sig key = {.tcpm_keylen = 1, .tcpm_key = "k"};

		net_address((void *)&key.tcpm_addr, ip6, client_addresses[ip6], 0);
		assert_int_equal(setsockopt(listening[ip6][PORT], IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)), 0);
		build(&syn, ip6);
		set_options((uint8_t[]){19, 18, [18] = 1, 1}, 20);
		failures += !expect_alike("signed", REASON_SIGNED);
		build(&syn, ip6);
		failures += !is_challenged(&enforcing, "not signed");
		listen_anew(ip6);
	}
	assert_int_equal(failures, 0);
}

/* What TCP here would not get, or not answer: none of it arms the port. */
static void what_is_not_local(void **state)
{
	static const char *const sources[FAMILIES][8] = {
		{"0.0.0.0", "127.0.0.1", "127.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255", "198.51.100.1",
		 "198.51.100.2"},
		{"::1", "ff00::1", "ff02::1", "ffff::", "2001:db8:1::1", "2001:db8:1::2"},
	};
	static const uint8_t elsewhere[] = {198, 51, 100, 3}, mac[] = {2, 0, 0, 0, 0, 7};
	int failures = 0;

	(void)state;
	disarm(&enforcing);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		for (size_t i = 0; i < COUNT_OF(sources[0]) && sources[ip6][i]; i++) {
			build(&(struct frame_spec){.from = sources[ip6][i]}, ip6);
			failures += !expect_alike(sources[ip6][i], REASON_NOT_LOCAL);
		}
		build(&(struct frame_spec){}, ip6);
		memcpy(frame.bytes, mac, sizeof(mac));
		failures += !expect_alike("another station's MAC address", REASON_NOT_LOCAL);
		build(&(struct frame_spec){}, ip6);
		memcpy(frame.bytes + frame.ip + (ip6 ? 36 : 16), elsewhere, sizeof(elsewhere));
		failures += !expect_alike("an address that is not local", REASON_NOT_LOCAL);
	}
	build(&(struct frame_spec){}, IP6);
	memset(frame.bytes + frame.ip + 24, 0, 16);
	memcpy(frame.bytes + frame.ip + 34, (uint8_t[]){0xff, 0xff, 198, 51, 100, 1}, 6);
	failures += !expect_alike("IPv6 to a v4-mapped address", REASON_NOT_LOCAL);
	assert_int_equal(armed_until(&enforcing), 0);
	assert_int_equal(failures, 0);
}

static void who_is_not_challenged(void **state)
{
	const struct port_gcra fresh = {};
	const uint32_t slot = slot_of(PORT);
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unchallenged); i++)
		for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
			build(&unchallenged[i].frame, ip6);
			failures += !expect_alike(unchallenged[i].what, unchallenged[i].reason);
		}
	failures += expect_both(&dropping, "--challenge off", &(struct frame_spec){}, REASON_PORT_BUDGET);
	failures += expect_both(&dropping, "--challenge off, not served", &(struct frame_spec){.dport = PORT_UNSERVED},
				REASON_NOT_SERVED);
	for (int blocked = 0; blocked < 2; blocked++) {
		enum list list = blocked ? LIST_BLOCK : LIST_ALLOW;

		list_client(&enforcing, list, true);
		build(&(struct frame_spec){}, IP4);
		failures += !filter_expect(&enforcing, "lists come first", &frame,
					   blocked ? REASON_BLOCKED : REASON_ALLOWED);
		list_client(&enforcing, list, false);
	}
	assert_int_equal(bpf_map_update_elem(enforcing.maps->port_tats, &slot, &fresh, BPF_ANY), 0);
	failures += expect_both(&enforcing, "within the budget", &(struct frame_spec){}, REASON_SYN);
	exhaust(&enforcing);
	assert_int_equal(failures, 0);
}

/* An address of the host that is not in the served set, though a listener on a wildcard address would take it. */
static void served_by_address(void **state)
{
	static const uint8_t other[4] = {198, 51, 100, 2};
	int any = net_bound(IP4, "0.0.0.0", PORT_UNSERVED, 0), failures = 0;
	const struct frame_spec spec = {.dport = PORT_UNSERVED};

	(void)state;
	assert_int_equal(listen(any, 1), 0);
	assert_int_equal(load_config__protect("198.51.100.1:85", enforcing.maps->protected), 0);
	challenge(&spec, IP4);
	build(&spec, IP4);
	memcpy(frame.bytes + frame.ip + 16, other, sizeof(other));
	frame_sums(&frame);
	failures += !filter_expect(&enforcing, "the address beside a served one", &frame, REASON_NOT_SERVED);
	frame.bytes[tcp_at(&spec) + 13] = ACK;
	failures += !filter_expect(&enforcing, "an ACK there", &frame, REASON_SEGMENT);
	build_segment(&spec, IP4, ACK, 4711);
	failures += !filter_expect(&enforcing, "an ACK to the served one", &frame, REASON_STRAY_ACK);
	close(any);
	assert_int_equal(failures, 0);
}

/* A cookie opens the door for its source: for 100 SYNs at once, and a hundred a second. */
static void a_cookie_verifies_its_source(void **state)
{
	int failures = 0, verified;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		build_segment(&(struct frame_spec){}, ip6, ACK, challenge(&(struct frame_spec){}, ip6) + 1);
		failures += !filter_expect(&enforcing, "the ACK of a cookie", &frame, REASON_COOKIE_ACK);
		failures += !filter_expect(&enforcing, "the same again", &frame, REASON_COOKIE_ACK);
		build(&(struct frame_spec){}, ip6);
		failures += !filter_expect(&enforcing, "the next SYN", &frame, REASON_VERIFIED);
		build(&(struct frame_spec){.from = ip6 ? "2001:db8::2" : "192.0.2.2"}, ip6);
		if (ip6)
			failures += !filter_expect(&enforcing, "another of the /64", &frame, REASON_VERIFIED);
		else
			failures += !is_challenged(&enforcing, "the address beside it");
		build(&(struct frame_spec){}, ip6);
		for (verified = 0; verified < 200 && filter_run(&enforcing, &frame, NULL) == XDP_PASS; verified++)
			;
		assert_in_range(verified, 95, 110);
	}
	assert_int_equal(count_verified(&enforcing), 2);
	usleep(50000);
	failures += !filter_expect(&enforcing, "50 ms later", &frame, REASON_VERIFIED);
	tag_verified(&enforcing, 0);
	assert_int_equal(failures, 0);
}

/* An answered challenge takes a source past the port's budget, not past its own limit. */
static void a_verified_source_is_limited(void **state)
{
	struct filter limited;
	int passed;

	(void)state;
	load(&limited, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO, .source_limit = 1},
	     SERVED);
	build(&(struct frame_spec){}, IP4);
	assert_true(is_challenged(&limited, "a SYN over budget"));
	build_segment(&(struct frame_spec){}, IP4, ACK, cookie_of_reply() + 1);
	assert_true(filter_expect(&limited, "the ACK of a cookie", &frame, REASON_COOKIE_ACK));
	build(&(struct frame_spec){}, IP4);
	for (passed = 0; passed < 95 && filter_run(&limited, &frame, NULL) == XDP_PASS; passed++)
		;
	assert_in_range(passed, 1, 94);
	assert_true(filter_expect(&limited, "over --source-limit", &frame, REASON_SOURCE_LIMIT));
	filter_free(&limited);
}

/* Every slot is another source's, which holds for long: no other source passes for it, and a source that answers takes
 * its place. */
static void all_slots_are_taken(void **state)
{
	struct verified other = {.source.halves = {1, 2}, .until_ns = UINT64_MAX};
	struct filter full;
	int failures = 0;

	(void)state;
	load(&full, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO}, SERVED);
	for (uint32_t slot = 0; slot < MAX_VERIFIED; slot++)
		assert_int_equal(bpf_map_update_elem(full.maps->verified, &slot, &other, BPF_ANY), 0);
	build(&(struct frame_spec){}, IP4);
	for (int tag = 1; tag <= UINT8_MAX; tag += 2) {
		tag_verified(&full, tag);
		failures += !is_challenged(&full, "verified sources full: a SYN, whatever its tag");
	}
	build_segment(&(struct frame_spec){}, IP4, ACK, cookie_of_reply() + 1);
	failures += !filter_expect(&full, "verified sources full: the ACK of a cookie", &frame, REASON_COOKIE_ACK);
	build(&(struct frame_spec){}, IP4);
	failures += !filter_expect(&full, "verified sources full: the next SYN", &frame, REASON_VERIFIED);
	assert_int_equal(count_verified(&full), MAX_VERIFIED);
	filter_free(&full);
	assert_int_equal(failures, 0);
}

/* SYN, ACK, data, FIN and RST of a connection that the kernel knows. */
static int expect_known(const char *what, uint16_t port, int ip6)
{
	static const uint32_t flags[] = {ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK};
	int failures;

	build(&(struct frame_spec){.dport = port}, ip6);
	failures = !expect_alike(what, REASON_KNOWN);
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		build(&(struct frame_spec){.dport = port, .flags = flags[i]}, ip6);
		failures += !expect_alike(what, REASON_SEGMENT);
	}
	return failures;
}

static void known_connections(void **state)
{
	int failures = 0, client, child;

	(void)state;
	net_sysctl("tcp_syncookies", 1);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		client = net_connect(ip6, PORT_HALF_OPEN);
		failures += expect_known("half-open", PORT_HALF_OPEN, ip6);
		net_reset(client);

		client = net_connect(ip6, PORT_RCVBUF);
		failures += expect_known("in the accept queue", PORT_RCVBUF, ip6);
		child = accept(listening[ip6][PORT_RCVBUF], NULL, NULL);
		assert_true(child >= 0);
		failures += expect_known("established", PORT_RCVBUF, ip6);
		close(child);
		net_await_end(client);
		failures += expect_known("half-closed", PORT_RCVBUF, ip6);
		close(client);
		failures += expect_known("TIME_WAIT", PORT_RCVBUF, ip6);
	}
	net_sysctl("tcp_syncookies", 2);
	assert_int_equal(failures, 0);
}

static void accept_queue_is_full(void **state)
{
	const struct frame_spec syn = {.dport = PORT_FULL};
	int failures = 0, client, child;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		challenge(&(struct frame_spec){.dport = PORT_FULL, .from = ip6 ? "2001:db8:9::1" : "192.0.2.9"}, ip6);
		client = net_queue(ip6, PORT_FULL, listening[ip6][PORT_FULL]);
		build(&(struct frame_spec){.dport = PORT_FULL, .from = ip6 ? "2001:db8:9::1" : "192.0.2.9"}, ip6);
		failures += !expect_alike("one waits, no more may", REASON_ACCEPT_FULL);
		child = accept(listening[ip6][PORT_FULL], NULL, NULL);
		net_reset(client);
		close(child);
		challenge(&syn, ip6);
		failures += !filter_expect(&dry, "none waits any more, dry run", &frame, REASON_CHALLENGED);
	}
	assert_int_equal(failures, 0);
}

static void kernel_is_not_ready(void **state)
{
	int failures = 0;

	(void)state;
	net_sysctl("tcp_syncookies", 1);
	failures += expect_both(&enforcing, "tcp_syncookies is 1", &(struct frame_spec){}, REASON_UNREADY);
	net_sysctl("tcp_syncookies", 0);
	failures += expect_both(&enforcing, "tcp_syncookies is 0", &(struct frame_spec){}, REASON_UNREADY);
	failures += expect_both(&dry, "tcp_syncookies is 0, dry run", &(struct frame_spec){}, REASON_CHALLENGED);
	net_sysctl("tcp_syncookies", 2);
	assert_int_equal(failures, 0);
}

/* The same counts, nothing changed, and the listener not told to expect cookies. */
static void dry_run(void **state)
{
	int failures = 0;
	uint32_t ack;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		ack = challenge(&(struct frame_spec){}, ip6) + 1;
		listen_anew(ip6);
		build(&(struct frame_spec){.tcp_options = 20}, ip6);
		failures += !filter_expect(&dry, "dry run", &frame, REASON_CHALLENGED);
		build_segment(&(struct frame_spec){}, ip6, ACK, ack);
		failures += !filter_expect(&dry, "ACK, dry run", &frame, REASON_STRAY_ACK);
		failures += !filter_expect(&enforcing, "ACK after a dry run", &frame, REASON_STRAY_ACK);
	}
	failures += expect_both(&dry, "FIN, dry run", &(struct frame_spec){.flags = FIN}, REASON_STRAY_FIN);
	failures += expect_both(&dry, "RST, dry run", &(struct frame_spec){.flags = RST}, REASON_STRAY_RST);
	failures +=
		expect_both(&dry, "SYN-ACK, dry run", &(struct frame_spec){.flags = SYN | ACK}, REASON_STRAY_SYNACK);
	assert_int_equal(count_verified(&dry), 0);
	assert_int_equal(failures, 0);
}

/* But for that of closed ports, which tests/bpf/strays.c gives. */
static void every_reason_was_given(void **state)
{
	(void)state;
	for (int reason = 0; reason < REASON_MAX; reason++)
		if (!filter_seen[reason] && filter_is_budget(reason) && reason != REASON_CLOSED_PORT)
			fail_msg("no packet was given the reason %s", print_reason(reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(answers_without),
		cmocka_unit_test(answers_by_mtu),
		cmocka_unit_test(answers_for_small_buffer),
		cmocka_unit_test(what_is_signed),
		cmocka_unit_test(what_is_not_local),
		cmocka_unit_test(who_is_not_challenged),
		cmocka_unit_test(served_by_address),
		cmocka_unit_test(a_cookie_verifies_its_source),
		cmocka_unit_test(a_verified_source_is_limited),
		cmocka_unit_test(all_slots_are_taken),
		cmocka_unit_test(known_connections),
		cmocka_unit_test(accept_queue_is_full),
		cmocka_unit_test(kernel_is_not_ready),
		cmocka_unit_test(dry_run),
		cmocka_unit_test(every_reason_was_given),
	};

	return cmocka_run_group_tests_name("challenge", tests, set_up, tear_down);
}
