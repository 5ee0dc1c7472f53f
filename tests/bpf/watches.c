// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the filter tells a ladder (struct watch): which verdicts, of which connections, with which fields; how long, how
 * many a second, and what is counted as lost. Against real sockets in a network namespace of the test's own.
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
#include "segments.h"

#define TOLD_MAX (2 * WATCH_RATE)

static struct segment told[TOLD_MAX];
static size_t told_count;

static int on_told(void *context, void *data, size_t size)
{
	(void)context;
	assert_int_equal(size, sizeof(*told));
	assert_in_range(told_count, 0, TOLD_MAX - 1);
	told[told_count++] = *(const struct segment *)data;
	return 0;
}

/* The number of records since the last call; they are in `told`. */
static size_t take(const struct filter *filter)
{
	struct ring_buffer *ring = ring_buffer__new(filter->maps->sightings, on_told, NULL, NULL);

	assert_non_null(ring);
	told_count = 0;
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return told_count;
}

static struct watch get_watch(const struct filter *filter)
{
	struct watch watch;

	assert_int_equal(bpf_map_lookup_elem(filter->maps->watches, &(uint32_t){0}, &watch), 0);
	return watch;
}

static void set_watch(const struct filter *filter, const struct event_filter *which, uint64_t until_ns)
{
	const struct watch watch = {.until_ns = until_ns, .filter = *which};

	assert_int_equal(bpf_map_update_elem(filter->maps->watches, &(uint32_t){0}, &watch, BPF_ANY), 0);
}

static void watch_all(const struct filter *filter)
{
	set_watch(filter, &(struct event_filter){}, filter_clock() + HOUR_NS);
}

static uint64_t lost(const struct filter *filter)
{
	uint64_t sum;

	filter_sum(filter->maps->losses, LOSS_WATCHES, &sum, 1);
	return sum;
}

static const struct addr *client_addr(int ip6)
{
	static struct addr addr;

	memset(&addr, 0, sizeof(addr));
	if (ip6) {
		assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &addr), 1);
		return &addr;
	}
	addr.words[2] = htonl(0xffff);
	addr.words[3] = htonl(0xc0000201);
	return &addr;
}

/* A SYN from a blocked source: each field, and the verdict. */
static void a_dropped_syn(void **state)
{
	const struct frame_spec syn = {.payload = 5};
	const struct segment *s = told;

	(void)state;
	watch_all(&enforcing);
	list_client(&enforcing, LIST_BLOCK, true);
	build(&syn, IP4);
	assert_true(filter_expect(&enforcing, "a blocked SYN", &frame, REASON_BLOCKED));
	list_client(&enforcing, LIST_BLOCK, false);
	assert_int_equal(take(&enforcing), 1);
	assert_int_equal(s->kind, SEGMENT_JUDGED);
	assert_int_equal(s->verdict, VERDICT_DROP);
	assert_int_equal(s->reason, REASON_BLOCKED);
	assert_memory_equal(&s->src, client_addr(IP4), sizeof(s->src));
	assert_int_equal(s->dport, PORT);
	assert_int_equal(s->seq, SEQ);
	assert_int_equal(s->flags, SEGMENT_SYN);
	assert_int_equal(s->len, 5);
	assert_int_equal(s->segs, 1);
	assert_int_equal(s->what, RING_SEGMENT);
}

/* A challenge: the SYN with its own options, and the answer, whose number is the cookie of the frame sent. */
static void a_challenge(void **state)
{
	const struct frame_spec syn = {};
	uint32_t cookie;

	(void)state;
	watch_all(&enforcing);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		cookie = challenge(&syn, ip6);
		assert_int_equal(take(&enforcing), 2);
		assert_int_equal(told[0].kind, SEGMENT_JUDGED);
		assert_int_equal(told[0].verdict, VERDICT_TX);
		assert_int_equal(told[0].reason, REASON_CHALLENGED);
		assert_int_equal(told[0].seq, SEQ);
		assert_int_equal(told[0].flags, SEGMENT_SYN);
		assert_int_equal(told[1].kind, SEGMENT_ANSWERED);
		assert_int_equal(told[1].flags, SEGMENT_SYN | SEGMENT_ACK);
		assert_int_equal(told[1].seq, cookie);
		assert_int_equal(told[1].ack, SEQ + 1);
		assert_int_equal(told[1].sport, told[0].dport);
		assert_int_equal(told[1].dport, told[0].sport);
		assert_memory_equal(&told[1].src, &told[0].dst, sizeof(struct addr));
		assert_memory_equal(&told[1].dst, &told[0].src, sizeof(struct addr));
		assert_int_not_equal(told[1].mss, 0);
		assert_true(told[1].time_ns >= told[0].time_ns);
		build_segment(&syn, ip6, ACK, cookie + 1);
		assert_true(filter_expect(&enforcing, "the answer", &frame, REASON_COOKIE_ACK));
		assert_int_equal(take(&enforcing), 1);
		assert_int_equal(told[0].verdict, VERDICT_PASS);
		assert_int_equal(told[0].reason, REASON_COOKIE_ACK);
	}
	tag_verified(&enforcing, 0);
	disarm(&enforcing);
}

/* A dry run passes all, and says so; the frame is as it came. */
static void a_dry_run(void **state)
{
	(void)state;
	watch_all(&dry);
	build(&(struct frame_spec){}, IP4);
	assert_true(filter_expect(&dry, "a SYN over budget", &frame, REASON_CHALLENGED));
	assert_int_equal(take(&dry), 1);
	assert_int_equal(told[0].kind, SEGMENT_JUDGED);
	assert_int_equal(told[0].verdict, VERDICT_PASS);
	assert_int_equal(told[0].reason, REASON_CHALLENGED);
	assert_int_equal(told[0].seq, SEQ);
	disarm(&dry);
}

/* Ordinary packets, other connections, and what has no ports. */
static void what_is_not_told(void **state)
{
	const struct event_filter other_port = {.port = 4711}, ip6 = {.family = 6}, port = {.port = PORT};
	const struct frame_spec syn = {}, segment = {.flags = ACK}, udp = {.protocol = SAID(17)};
	const uint64_t until = filter_clock() + HOUR_NS;

	(void)state;
	list_client(&enforcing, LIST_ALLOW, true);
	set_watch(&enforcing, &other_port, until);
	expect_both(&enforcing, "another port", &segment, REASON_ALLOWED);
	set_watch(&enforcing, &ip6, until);
	build(&segment, IP4);
	filter_expect(&enforcing, "another family", &frame, REASON_ALLOWED);
	watch_all(&enforcing);
	build(&udp, IP4);
	filter_expect(&enforcing, "no TCP", &frame, REASON_ALLOWED);
	assert_int_equal(take(&enforcing), 0);
	set_watch(&enforcing, &port, until);
	build(&segment, IP4);
	filter_expect(&enforcing, "this port", &frame, REASON_ALLOWED);
	assert_int_equal(take(&enforcing), 1);
	list_client(&enforcing, LIST_ALLOW, false);
	watch_all(&enforcing);
	expect_both(&enforcing, "a segment", &segment, REASON_SEGMENT);
	expect_both(&enforcing, "a SYN", &(struct frame_spec){.dport = 4711}, REASON_NOT_SERVED);
	take(&enforcing);
	watch_all(&dropping);
	build(&syn, IP4);
	assert_int_equal(take(&dropping), 0);
}

/* A ladder that died renews its watch no more: the first packet behind its end removes it. */
static void the_end_of_a_watch(void **state)
{
	const struct frame_spec xmas = {.flags = FIN | PSH | URG};

	(void)state;
	set_watch(&enforcing, &(struct event_filter){}, filter_clock() - 1);
	expect_both(&enforcing, "behind the end", &xmas, REASON_TCP_XMAS);
	assert_int_equal(take(&enforcing), 0);
	assert_int_equal(get_watch(&enforcing).until_ns, 0);
	watch_all(&enforcing);
	expect_both(&enforcing, "before the end", &xmas, REASON_TCP_XMAS);
	assert_int_equal(take(&enforcing), FAMILIES);
}

/* No more than so many a second; the rest is counted. Each frame is either told or lost. */
static void more_than_are_told(void **state)
{
	const struct frame_spec xmas = {.flags = FIN | PSH | URG};
	uint64_t before = lost(&enforcing), begun, ended;
	size_t count;

	(void)state;
	watch_all(&enforcing);
	build(&xmas, IP4);
	begun = filter_clock() / 1000000000;
	for (int i = 0; i < TOLD_MAX - 100; i++)
		assert_int_equal(filter_run(&enforcing, &frame, NULL), XDP_DROP);
	ended = filter_clock() / 1000000000;
	count = take(&enforcing);
	assert_int_equal(count + lost(&enforcing) - before, TOLD_MAX - 100);
	assert_in_range(count, WATCH_RATE, WATCH_RATE * (ended - begun + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dropped_syn),      cmocka_unit_test(a_challenge),
		cmocka_unit_test(a_dry_run),	      cmocka_unit_test(what_is_not_told),
		cmocka_unit_test(the_end_of_a_watch), cmocka_unit_test(more_than_are_told),
	};

	return cmocka_run_group_tests_name("watches", tests, set_up, tear_down);
}
