// SPDX-License-Identifier: GPL-2.0-only
/*
 * How well --source-limit is held: senders of known rates, paced by the clock, their packets spread over two CPUs.
 *
 * test: alone asan-slow no-kernels
 * fault: Sources fill their table | a source that never returns takes no record | [0-9]* - flood_takes_nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/filter_program.h"
#include "lib/text.h"

#define LIMIT	1000 /* SYN/s */
#define SECONDS 3
#define FLOOD	500000

static uint32_t dice(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 32;
}

/* Where a sender's next SYN comes from: 4 bytes of IPv4, 16 of IPv6. */
static void from_host(uint8_t *address, uint8_t host)
{
	memcpy(address, (uint8_t[]){192, 0, 2, host}, 4);
}

static void from_over_by_ten(uint8_t *address)
{
	from_host(address, 1);
}

static void from_over_by_a_quarter(uint8_t *address)
{
	from_host(address, 2);
}

static void from_below(uint8_t *address)
{
	from_host(address, 3);
}

static void from_many(uint8_t *address)
{
	memcpy(address, (uint8_t[]){203, 0, 113, dice()}, 4);
}

static void from_anywhere(uint8_t *address)
{
	uint32_t any = dice();

	memcpy(address, &any, sizeof(any));
}

/* 2^16 addresses of one /64. */
static void from_network(uint8_t *address)
{
	memcpy(address, (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [14] = dice(), [15] = dice()}, 16);
}

static void from_next_network(uint8_t *address)
{
	memcpy(address, (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [7] = 1, [14] = dice(), [15] = dice()}, 16);
}

struct sender {
	const char *what;
	void (*from)(uint8_t *address);
	bool ip6;
	uint32_t rate; /* SYN/s */
	int held_from; /* the second from which it is held to the limit; 0: it is within, and loses nothing */
	uint64_t sent;
	uint64_t admitted[SECONDS], dropped;
};

/* A window of the sketch is 1.07 s and begins at any time: little over the limit shows at a window's end alone. */
static struct sender senders[] = {
	{.what = "ten times the limit", .from = from_over_by_ten, .rate = 10 * LIMIT, .held_from = 1},
	{.what = "1.25 times the limit", .from = from_over_by_a_quarter, .rate = LIMIT * 5 / 4, .held_from = 2},
	{.what = "one /64, ten times the limit", .from = from_network, .ip6 = true, .rate = 10 * LIMIT, .held_from = 1},
	{.what = "the /64 beside it", .from = from_next_network, .ip6 = true, .rate = LIMIT * 3 / 4},
	{.what = "0.75 times the limit", .from = from_below, .rate = LIMIT * 3 / 4},
	{.what = "256 sources", .from = from_many, .rate = 5 * LIMIT},
	{.what = "spoofed sources", .from = from_anywhere, .rate = 20 * LIMIT},
};

static void send_due(const struct filter *filter, struct sender *sender, uint64_t elapsed_ns, struct frame *frame)
{
	uint64_t due = elapsed_ns * sender->rate / 1000000000;
	uint8_t address[16];

	for (; sender->sent < due; sender->sent++) {
		sender->from(address);
		frame_from(frame, address);
		switch (filter_run(filter, frame, NULL)) {
		case XDP_PASS:
			sender->admitted[elapsed_ns / 1000000000]++;
			break;
		case XDP_DROP:
			sender->dropped++;
			break;
		default:
			fail_msg("%s: neither passed nor dropped", sender->what);
		}
	}
}

/* All senders at once, from another CPU every millisecond. */
static void send_paced(const struct filter *filter)
{
	static struct frame frames[2];
	uint64_t start, elapsed;
	cpu_set_t all;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	frame_build(&frames[0], &(struct frame_spec){});
	frame_build(&frames[1], &(struct frame_spec){.ip6 = true});
	start = filter_clock();
	for (unsigned turn = 0; (elapsed = filter_clock() - start) < SECONDS * 1000000000ULL; turn++) {
		filter_run_on(&all, turn);
		for (size_t i = 0; i < COUNT_OF(senders); i++)
			send_due(filter, &senders[i], elapsed, &frames[senders[i].ip6]);
		usleep(1000);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

static int judge_sender(const struct sender *sender)
{
	bool good = sender->held_from || !sender->dropped;

	for (int second = sender->held_from; second && second < SECONDS; second++)
		good &= sender->admitted[second] >= LIMIT * 9 / 10 && sender->admitted[second] <= LIMIT * 11 / 10;
	if (!good)
		print_error("%s: sent %lu, admitted %lu, %lu, %lu in the first, second and third second, dropped %lu\n",
			    sender->what, sender->sent, sender->admitted[0], sender->admitted[1], sender->admitted[2],
			    sender->dropped);
	return !good;
}

static uint64_t records(const struct filter *filter)
{
	struct source_set set;
	uint64_t count = 0;

	for (uint32_t i = 0; i < SOURCE_SETS; i++) {
		assert_int_equal(bpf_map_lookup_elem(filter->maps->sources, &i, &set), 0);
		for (int way = 0; way < SOURCE_WAYS; way++)
			count += set.ways[way].tat_ns != 0;
	}
	return count;
}

static uint64_t recorded_drops(const struct filter *filter)
{
	struct source_drops_set sums;
	uint64_t count = 0;

	for (uint32_t i = 0; i < SOURCE_SETS; i++) {
		filter_sum(filter->maps->source_drops, i, (uint64_t *)&sums, sizeof(sums) / sizeof(uint64_t));
		for (int way = 0; way < SOURCE_WAYS; way++)
			count += sums.ways[way].packets;
	}
	return count;
}

static void limit_is_held(void **state)
{
	struct verdict_count verdicts[REASON_MAX];
	uint64_t sent = 0, dropped = 0;
	struct filter filter;
	int failures = 0;

	(void)state;
	filter_load(&filter, &(struct run_options){.source_limit = LIMIT});
	send_paced(&filter);
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		failures += judge_sender(&senders[i]);
		sent += senders[i].sent;
		dropped += senders[i].dropped;
	}
	filter_verdicts(&filter, verdicts);
	assert_int_equal(verdicts[REASON_SYN].packets, sent - dropped);
	assert_int_equal(verdicts[REASON_SOURCE_LIMIT].packets, dropped);
	assert_int_equal(recorded_drops(&filter), dropped);
	assert_int_equal(failures, 0);
	assert_int_equal(records(&filter), 3);
	filter_free(&filter);
}

/* What the kernel charges for a map. */
static uint64_t map_memory(int fd)
{
	char path[64], line[128];
	bool found = false;
	uint64_t bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	assert_non_null(info);
	while (!found && fgets(line, sizeof(line), info))
		found = sscanf(line, "memlock: %lu", &bytes) == 1;
	fclose(info);
	assert_true(found);
	return bytes;
}

static uint64_t all_memory(const struct filter *filter)
{
	uint64_t bytes = 0;

#define X(name) bytes += map_memory(filter->maps->name);
	MAPS(X)
#undef X
	return bytes;
}

/* A sender that never uses a source twice gets past the limit, but takes no record and no memory. */
static void flood_takes_nothing(void **state)
{
	static struct frame frames[2];
	struct verdict_count verdicts[REASON_MAX];
	struct filter filter;
	uint8_t address[16];
	uint64_t memory;

	(void)state;
	filter_load(&filter, &(struct run_options){.source_limit = LIMIT});
	memory = all_memory(&filter);
	frame_build(&frames[0], &(struct frame_spec){});
	frame_build(&frames[1], &(struct frame_spec){.ip6 = true});
	for (int i = 0; i < FLOOD; i++) {
		for (int at = 0; at < 16; at += 4)
			from_anywhere(address + at);
		frame_from(&frames[i & 1], address);
		assert_int_equal(filter_run(&filter, &frames[i & 1], NULL), XDP_PASS);
	}
	filter_verdicts(&filter, verdicts);
	assert_int_equal(verdicts[REASON_SYN].packets, FLOOD);
	assert_int_equal(records(&filter), 0);
	assert_int_equal(all_memory(&filter), memory);
	filter_free(&filter);
}

/* The most that one cell counts, over all CPUs: what proposals are made from. */
static uint32_t highest_cell(const struct filter *filter)
{
	static struct sketch sketch;
	static uint32_t cells[SKETCH_LINES][SKETCH_PER_LINE];
	uint32_t highest = 0;

	memset(cells, 0, sizeof(cells));
	for (uint32_t cpu = 0; cpu < (uint32_t)libbpf_num_possible_cpus(); cpu++) {
		assert_int_equal(bpf_map_lookup_elem(filter->maps->sketches, &cpu, &sketch), 0);
		for (size_t line = 0; line < SKETCH_LINES; line++)
			for (size_t cell = 0; cell < SKETCH_PER_LINE; cell++)
				cells[line][cell] += sketch.lines[0][line].cells[cell];
	}
	for (size_t i = 0; i < SKETCH_LINES * SKETCH_PER_LINE; i++)
		if (((uint32_t *)cells)[i] > highest)
			highest = ((uint32_t *)cells)[i];
	return highest;
}

/* Sends 5,000 SYNs in one window of the sketches; how many of them were counted where proposals come from. */
static uint32_t counted_of_heavy(const struct run_options *options)
{
	static struct frame heavy;
	struct filter filter;
	uint8_t address[4];
	uint64_t window, begun;
	uint32_t counted;

	frame_build(&heavy, &(struct frame_spec){});
	from_host(address, 7);
	frame_from(&heavy, address);
	filter_load(&filter, options);
	do { /* all of them in one window */
		begun = filter_clock();
		window = begun >> SKETCH_WINDOW_SHIFT;
		while (filter_clock() >> SKETCH_WINDOW_SHIFT == window)
			usleep(1000);
		usleep(10000); /* the filter's own clock is a coarse one */
		window = filter_clock() >> SKETCH_WINDOW_SHIFT;
		for (int i = 0; i < 5 * LIMIT; i++)
			assert_int_equal(filter_run(&filter, &heavy, NULL) == XDP_PASS || !options->dry_run, 1);
	} while (filter_clock() >> SKETCH_WINDOW_SHIFT != window);
	assert_int_equal(records(&filter), options->source_limit != 0);
	counted = highest_cell(&filter);
	filter_free(&filter);
	return counted;
}

/* A proxy is seen in a dry run as it is, also with a limit that it exceeds. */
static void dry_run_sees_all(void **state)
{
	(void)state;
	assert_int_equal(counted_of_heavy(&(struct run_options){.dry_run = true}), 5 * LIMIT);
	assert_int_equal(counted_of_heavy(&(struct run_options){.dry_run = true, .source_limit = LIMIT}), 5 * LIMIT);
	assert_in_range(counted_of_heavy(&(struct run_options){.source_limit = LIMIT}), 0, LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit_is_held),
		cmocka_unit_test(flood_takes_nothing),
		cmocka_unit_test(dry_run_sees_all),
	};

	return cmocka_run_group_tests_name("source limit", tests, NULL, NULL);
}
