// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample of an armed port: its first SYNs, as they came, and no more; and of two ports that share one, the port
 * that was armed last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/filter_program.h"

#define SLOT_80 1
#define SLOT_81 (SLOT_80 + SYN_SAMPLES) /* shares the sample */
#define BUDGET	10
#define PAYLOAD 200

static struct filter filter;
static struct frame frame;
static struct syn_sample sample;

static void listen_on(uint32_t port, uint16_t slot)
{
	struct listener listener = {.slot = slot, .listening = 1};

	assert_int_equal(bpf_map_update_elem(filter.maps->listeners, &port, &listener, BPF_ANY), 0);
}

static int load(void **state)
{
	(void)state;
	filter_load(&filter, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_OFF});
	listen_on(80, SLOT_80);
	listen_on(81, SLOT_81);
	return load_config__protect("80,81", filter.maps->protected);
}

static int unload(void **state)
{
	(void)state;
	filter_free(&filter);
	return 0;
}

/* The source of each is its number, so that all differ. */
static void send_syns(uint32_t port, unsigned count)
{
	frame_build(&frame, &(struct frame_spec){.dport = port, .payload = PAYLOAD});
	for (uint32_t i = 0; i < count; i++) {
		frame_from(&frame, &(uint32_t){htonl(0x40000000 + i)});
		assert_true(filter_run(&filter, &frame, NULL) >= 0);
	}
}

static void read_sample(void)
{
	assert_int_equal(bpf_map_lookup_elem(filter.maps->samples, &(uint32_t){SLOT_80 % SYN_SAMPLES}, &sample), 0);
}

static uint64_t is_sampled(uint32_t slot)
{
	struct port_gcra gcra;

	assert_int_equal(bpf_map_lookup_elem(filter.maps->port_tats, &slot, &gcra), 0);
	return gcra.sampled;
}

/* How many there are; each as it was sent, in this order. */
static unsigned count_syns(uint32_t port)
{
	uint32_t before = 0;
	unsigned count = 0;

	frame_build(&frame, &(struct frame_spec){.dport = port, .payload = PAYLOAD});
	for (size_t i = 0; i < SYN_SAMPLE_SIZE && i < sample.taken; i++) {
		const struct sampled_syn *syn = &sample.syns[i];
		uint32_t source;

		if (syn->time_ns < sample.armed_ns)
			continue;
		memcpy(&source, syn->bytes + frame.ip + 12, sizeof(source));
		assert_true(ntohl(source) > before);
		before = ntohl(source);
		frame_from(&frame, &source);
		assert_int_equal(syn->len, frame.len);
		assert_int_equal(syn->copied, SYN_SAMPLE_BYTES);
		assert_memory_equal(syn->bytes, frame.bytes, SYN_SAMPLE_BYTES);
		count++;
	}
	return count;
}

static void test_none_within_budget(void **state)
{
	(void)state;
	send_syns(80, 1);
	read_sample();
	assert_int_equal(sample.armed_ns, 0);
	assert_int_equal(is_sampled(SLOT_80), 0);
}

static void test_first_hundred(void **state)
{
	uint32_t taken;

	(void)state;
	send_syns(80, 60);
	read_sample();
	assert_int_equal(sample.slot, SLOT_80);
	assert_in_range(count_syns(80), 1, 59);
	assert_int_equal(is_sampled(SLOT_80), 1);
	frame_build(&frame, &(struct frame_spec){.payload = PAYLOAD});
	for (uint32_t i = 0; i < 300; i++) {
		frame_from(&frame, &(uint32_t){htonl(0x41000000 + i)});
		assert_true(filter_run(&filter, &frame, NULL) >= 0);
	}
	read_sample();
	assert_int_equal(count_syns(80), SYN_SAMPLE_SIZE);
	assert_int_equal(is_sampled(SLOT_80), 0);
	taken = sample.taken;
	send_syns(80, 100); /* nothing is written any more, not even a number */
	read_sample();
	assert_int_equal(sample.taken, taken);
}

static void test_shared(void **state)
{
	(void)state;
	send_syns(80, 60);
	send_syns(81, 60);
	read_sample();
	assert_int_equal(sample.slot, SLOT_81);
	assert_in_range(count_syns(81), 1, 60);
	assert_int_equal(is_sampled(SLOT_80), 1);
	send_syns(80, 60); /* it finds that the sample is not its own */
	assert_int_equal(is_sampled(SLOT_80), 0);
	read_sample();
	assert_in_range(count_syns(81), 1, 60);
	assert_int_equal(is_sampled(SLOT_81), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none_within_budget),
		TEST(test_first_hundred),
		TEST(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
