// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sources that have no connection here are challenged without one being looked for: when that may be relied on, and
 * that nothing else comes of it. What sets the marks: tests/e2e/known.sh.
 *
 * test: asan-slow
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include <linux/bpf.h>

#include "challenge.h"

#define EPOCH 7
#define MARK  (EPOCH + 1)

static uint8_t marks[KNOWN_MARKS];

/* The mark of all sources, in an epoch, and whether the kernel answers all SYNs with cookies. */
static void mark_all_in(uint8_t epoch, uint8_t mark, bool always, uint64_t until_ns)
{
	struct known known = {.until_ns = until_ns, .epoch = epoch};
	struct cookie_policy policy = {.always = always};
	uint32_t key = 0;

	memset(marks, mark, sizeof(marks));
	assert_int_equal(bpf_map_update_elem(enforcing.maps->known_marks, &key, marks, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(enforcing.maps->known, &key, &known, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(enforcing.maps->cookie_policy, &key, &policy, BPF_ANY), 0);
}

static void mark_all(uint8_t mark, bool always)
{
	mark_all_in(EPOCH, mark, always, filter_clock() + HOUR_NS);
}

static void all_are_strangers(void)
{
	mark_all(0, true);
}

/* Whether the frame, a SYN, is given this reason: of one that is challenged, the answer replaces it. */
static bool is_judged(const char *what, enum reason reason)
{
	if (reason == REASON_CHALLENGED)
		return is_challenged(&enforcing, what);
	return filter_expect(&enforcing, what, &frame, reason);
}

/* How many marks are of this epoch. */
static size_t count_marks(void)
{
	size_t count = 0;

	assert_int_equal(bpf_map_lookup_elem(enforcing.maps->known_marks, &(uint32_t){0}, marks), 0);
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		count += marks[i] == MARK;
	return count;
}

/* The same cookie as for others, announced to the kernel, which accepts its ACK. */
static void strangers_are_challenged(void **state)
{
	int failures = 0;
	uint32_t cookie;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		mark_all(MARK, true);
		cookie = challenge(&(struct frame_spec){}, ip6);
		listen_anew(ip6);
		all_are_strangers();
		assert_int_equal(challenge(&(struct frame_spec){}, ip6), cookie);
		build_segment(&(struct frame_spec){}, ip6, ACK, cookie + 1);
		failures += !filter_expect(&enforcing, "the ACK of a stranger", &frame, REASON_COOKIE_ACK);
		tag_verified(&enforcing, 0);
	}
	assert_int_equal(failures, 0);
}

static void strangers_are_judged(void **state)
{
	int failures = 0, client;

	(void)state;
	all_are_strangers();
	failures += expect_both(&enforcing, "nobody listens", &(struct frame_spec){.dport = PORT_UNHEARD},
				REASON_NOT_SERVED);
	net_sysctl("tcp_syncookies", 0);
	failures += expect_both(&enforcing, "no cookies", &(struct frame_spec){}, REASON_UNREADY);
	net_sysctl("tcp_syncookies", 2);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		client = net_queue(ip6, PORT_FULL, listening[ip6][PORT_FULL]);
		build(&(struct frame_spec){.dport = PORT_FULL, .from = ip6 ? "2001:db8:9::1" : "192.0.2.9"}, ip6);
		failures += !filter_expect(&enforcing, "accept queue full", &frame, REASON_ACCEPT_FULL);
		net_reset(client);
		close(accept(listening[ip6][PORT_FULL], NULL, NULL));
	}
	assert_int_equal(failures, 0);
}

/* Of a connection, whether it was looked for. */
static void marks_are_relied_on(void **state)
{
	static const struct {
		const char *what;
		uint8_t epoch;
		uint8_t mark;
		bool always;
		bool tended;
		enum reason reason;
	} rows[] = {
		{"marked in this epoch", EPOCH, MARK, true, true, REASON_KNOWN},
		{"marked in the one before", EPOCH, MARK - 1, true, true, REASON_KNOWN},
		{"marked in the one before that", EPOCH, MARK - 2, true, true, REASON_KNOWN},
		{"marked long ago", EPOCH, MARK - 3, true, true, REASON_CHALLENGED},
		{"marked in one that has just begun", EPOCH, MARK + 1, true, true, REASON_KNOWN},
		{"never marked", EPOCH, 0, true, true, REASON_CHALLENGED},
		{"never marked, but a SYN may have left something half-open", EPOCH, 0, false, true, REASON_KNOWN},
		{"never marked, but nobody says so any more", EPOCH, 0, true, false, REASON_KNOWN},
		{"the first epoch: marked in it", 0, 1, true, true, REASON_KNOWN},
		{"the first epoch: marked in the last one", 0, KNOWN_EPOCHS, true, true, REASON_KNOWN},
		{"the first epoch: never marked", 0, 0, true, true, REASON_CHALLENGED},
		{"the last epoch: marked in it", KNOWN_EPOCHS - 1, KNOWN_EPOCHS, true, true, REASON_KNOWN},
		{"the last epoch: marked in the one before", KNOWN_EPOCHS - 1, KNOWN_EPOCHS - 1, true, true,
		 REASON_KNOWN},
		{"the last epoch: never marked", KNOWN_EPOCHS - 1, 0, true, true, REASON_CHALLENGED},
	};
	int failures = 0, client;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		client = net_queue(ip6, PORT_RCVBUF, listening[ip6][PORT_RCVBUF]);
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			mark_all_in(rows[i].epoch, rows[i].mark, rows[i].always,
				    rows[i].tended ? filter_clock() + HOUR_NS : 1);
			build(&(struct frame_spec){.dport = PORT_RCVBUF}, ip6);
			failures += !is_judged(rows[i].what, rows[i].reason);
		}
		net_reset(client);
		close(accept(listening[ip6][PORT_RCVBUF], NULL, NULL));
	}
	assert_int_equal(failures, 0);
}

/* Whether this CPU has noted that the port's listener depends on the sender. */
static bool is_per_sender(uint16_t port)
{
	struct port_count counts[libbpf_num_possible_cpus()];
	uint32_t slot = slot_of(port);
	uint64_t latest = 0;

	assert_int_equal(bpf_map_lookup_elem(enforcing.maps->ports, &slot, counts), 0);
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		latest = counts[i].per_sender_ns > latest ? counts[i].per_sender_ns : latest;
	return latest > filter_clock();
}

/* A connection to a listener that another sender might not have come to is looked for all the same. */
static int expect_looked_for(const char *what, int ip6, uint16_t port, int listener)
{
	int client = net_queue(ip6, port, listener), failures;

	all_are_strangers();
	build(&(struct frame_spec){.dport = port}, ip6);
	failures = !filter_expect(&enforcing, what, &frame, REASON_KNOWN);
	assert_true(is_per_sender(port));
	failures += !filter_expect(&enforcing, what, &frame, REASON_KNOWN);
	net_reset(client);
	close(accept(listener, NULL, NULL));
	challenge(&(struct frame_spec){.dport = port}, ip6);
	exhaust(&enforcing); /* and forget it */
	return failures;
}

static void groups_are_told_apart(void **state)
{
	const struct listen_options options = {.backlog = 16, .reuseport = true};
	int failures = 0, first, second;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		first = net_listen(ip6, PORT_UNHEARD, &options);
		failures += expect_looked_for("SO_REUSEPORT, alone", ip6, PORT_UNHEARD, first);
		second = net_listen(ip6, PORT_UNHEARD, &options);
		all_are_strangers();
		challenge(&(struct frame_spec){.dport = PORT_UNHEARD}, ip6);
		assert_true(is_per_sender(PORT_UNHEARD));
		exhaust(&enforcing);
		close(first);
		close(second);
	}
	all_are_strangers();
	challenge(&(struct frame_spec){}, IP4);
	assert_false(is_per_sender(PORT));
	assert_int_equal(failures, 0);
}

/* A program that leaves the choice to the kernel, but it is there. */
static int attach_sk_lookup(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = SK_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_SK_LOOKUP);
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), link;
	int program = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "pass", "GPL", pass, COUNT_OF(pass), &options);

	assert_true(netns >= 0 && program >= 0);
	link = bpf_link_create(program, netns, BPF_SK_LOOKUP, NULL);
	assert_true(link >= 0);
	close(program);
	close(netns);
	return link;
}

static void programs_are_told_apart(void **state)
{
	int failures = 0, link;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		link = attach_sk_lookup();
		failures += expect_looked_for("BPF_SK_LOOKUP", ip6, PORT_RCVBUF, listening[ip6][PORT_RCVBUF]);
		close(link);
	}
	assert_int_equal(failures, 0);
}

static void give_budgets(void)
{
	for (uint32_t port = PORT; port < PORT_NEXT; port++) {
		uint32_t slot = slot_of(port);

		assert_int_equal(bpf_map_update_elem(enforcing.maps->port_tats, &slot, &(struct port_gcra){}, BPF_ANY),
				 0);
	}
}

/* Its half-open connection is not to be missed, where it leaves one. */
static void syns_that_pass_are_marked(void **state)
{
	int failures = 0;

	(void)state;
	for (int always = 0; always < 2; always++) {
		mark_all(0, always);
		for (int ip6 = 0; ip6 < FAMILIES; ip6++)
			challenge(&(struct frame_spec){}, ip6);
		assert_int_equal(count_marks(), 0);
		give_budgets();
		failures += expect_both(&enforcing, "in budget", &(struct frame_spec){}, REASON_SYN);
		assert_int_equal(count_marks(), always ? 0 : FAMILIES);
		disarm(&enforcing);
	}
	assert_int_equal(failures, 0);
}

/* What the kernel gets over the budget, and what it may make of it. */
static void others_that_pass_are_marked(void **state)
{
	int failures = 0, client;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		for (int always = 0; always < 2; always++) {
			mark_all(0, always);
			build(&(struct frame_spec){.dport = PORT_UNSERVED}, ip6);
			failures += !filter_expect(&enforcing, "nobody listens", &frame, REASON_NOT_SERVED);
			assert_int_equal(count_marks(), !always);
		}
		net_sysctl("tcp_syncookies", 1);
		all_are_strangers();
		build(&(struct frame_spec){}, ip6);
		failures += !filter_expect(&enforcing, "no cookies yet", &frame, REASON_UNREADY);
		assert_int_equal(count_marks(), 1);
		net_sysctl("tcp_syncookies", 2);
		client = net_queue(ip6, PORT_RCVBUF, listening[ip6][PORT_RCVBUF]);
		mark_all(MARK - 1, true);
		build(&(struct frame_spec){.dport = PORT_RCVBUF}, ip6);
		failures += !filter_expect(&enforcing, "a connection", &frame, REASON_KNOWN);
		assert_int_equal(count_marks(), 1);
		net_reset(client);
		close(accept(listening[ip6][PORT_RCVBUF], NULL, NULL));
	}
	assert_int_equal(failures, 0);
}

static void verified_sources_are_marked(void **state)
{
	int failures = 0;

	(void)state;
	for (int always = 0; always < 2; always++) {
		for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
			mark_all(0, always);
			build_segment(&(struct frame_spec){}, ip6, ACK, challenge(&(struct frame_spec){}, ip6) + 1);
			failures += !filter_expect(&enforcing, "the ACK", &frame, REASON_COOKIE_ACK);
			build(&(struct frame_spec){}, ip6);
			failures += !filter_expect(&enforcing, "the next SYN", &frame, REASON_VERIFIED);
			assert_int_equal(count_marks(), !always);
			tag_verified(&enforcing, 0);
		}
	}
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_are_challenged),    cmocka_unit_test(strangers_are_judged),
		cmocka_unit_test(marks_are_relied_on),	       cmocka_unit_test(groups_are_told_apart),
		cmocka_unit_test(programs_are_told_apart),     cmocka_unit_test(syns_that_pass_are_marked),
		cmocka_unit_test(others_that_pass_are_marked), cmocka_unit_test(verified_sources_are_marked),
	};

	return cmocka_run_group_tests_name("known", tests, set_up, tear_down);
}
