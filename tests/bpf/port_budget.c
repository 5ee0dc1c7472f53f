// SPDX-License-Identifier: GPL-2.0-only
/*
 * How well --port-budget is held by packets that come in on two CPUs, what a flood may grow (nothing), and how well
 * its sources are counted.
 *
 * test: alone asan-slow no-kernels
 * fault: A flood from 2^32 sources | no map has an entry more | [0-9]* - flood_grows_nothing
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
#include "run/distinct_sources.h"

#define SECONDS	 3
#define OVERLOAD 3 /* times the budget is what is sent */
#define SLOT	 1
#define FLOOD	 500000
#define HOUR_NS	 3600000000000ULL
/* Sent within the ten seconds that are counted, on a machine that is ten times as slow, too. */
#define MOST_COUNT  100000
#define MOST_HASHES 10000000

static struct frame frame;

static uint64_t dice(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1d;
}

static void load(struct filter *filter, const struct run_options *options)
{
	struct listener listener = {.slot = SLOT, .listening = 1};
	uint32_t port = 80;

	filter_load(filter, options);
	assert_int_equal(bpf_map_update_elem(filter->maps->listeners, &port, &listener, BPF_ANY), 0);
	assert_int_equal(load_config__protect("80", filter->maps->protected), 0);
}

/* One budget, what was sent and admitted, and what one GCRA would admit of it, by a clock that is read for each SYN. */
struct held {
	uint32_t budget;
	bool own; /* of the port alone: the others have none */
	struct filter filter;
	uint64_t sent, burst_ns, tat_ns, admitted[SECONDS], right[SECONDS];
};

/* Whatever keeps this process from sending in between, the budget has no more than its burst afterwards. */
static bool is_due(struct held *held, uint64_t now)
{
	uint64_t interval = 1000000000 / held->budget, start = held->tat_ns > now ? held->tat_ns : now;

	if (start + interval > now + held->burst_ns)
		return false;
	held->tat_ns = start + interval;
	return true;
}

static void send_due(struct held *held, uint64_t elapsed_ns)
{
	uint64_t due = elapsed_ns * held->budget * OVERLOAD / 1000000000, second = elapsed_ns / 1000000000;

	for (; held->sent < due; held->sent++) {
		held->right[second] += is_due(held, filter_clock());
		held->admitted[second] += filter_run(&held->filter, &frame, NULL) == XDP_PASS;
	}
}

/* Within a tenth of `budget`. */
static bool is_near(uint64_t is, uint64_t right, uint64_t budget)
{
	return is * 10 + budget >= right * 10 && is * 10 <= right * 10 + budget;
}

/* Held in each second but the first, in which each CPU begins with a batch; and over both. */
static int judge(const struct held *held)
{
	uint64_t after = 0, right = 0;
	bool good = held->admitted[0] + held->budget / 10 >= held->right[0] &&
		    held->admitted[0] <= held->right[0] + held->budget * 3 / 10;

	for (int second = 1; second < SECONDS; second++) {
		after += held->admitted[second];
		right += held->right[second];
		good &= is_near(held->admitted[second], held->right[second], held->budget);
	}
	good &= is_near(after, right, held->budget * (SECONDS - 1));
	for (int second = 0; !good && second < SECONDS; second++)
		print_error("budget %u, second %d: admitted %lu of %lu\n", held->budget, second, held->admitted[second],
			    held->right[second]);
	return !good;
}

static void budget_is_held(void **state)
{
	static struct held rows[] = {
		{.budget = 100}, {.budget = 1000}, {.budget = 20000}, {.budget = 300, .own = true}};
	struct config config;
	uint64_t start, elapsed;
	int failures = 0;
	cpu_set_t all;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct port_options port = {.port = 80, .has_budget = true, .budget = rows[i].budget};

		struct run_options options = {.port_budget = rows[i].own ? 0 : rows[i].budget,
					      .challenge = CHALLENGE_OFF,
					      .ports = &port,
					      .port_count = rows[i].own};

		assert_int_equal(load_config__make(&config, &options), 0);
		rows[i].burst_ns = config.budget_burst_ns;
		load(&rows[i].filter, &options);
	}
	frame_build(&frame, &(struct frame_spec){});
	start = filter_clock();
	for (unsigned turn = 0; (elapsed = filter_clock() - start) < SECONDS * 1000000000ULL; turn++) {
		filter_run_on(&all, turn);
		for (size_t i = 0; i < COUNT_OF(rows); i++)
			send_due(&rows[i], elapsed);
		usleep(1000);
	}
	sched_setaffinity(0, sizeof(all), &all);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		failures += judge(&rows[i]);
		filter_free(&rows[i].filter);
	}
	assert_int_equal(failures, 0);
}

/* One port without a budget, one whose SYNs over it are challenged, among others whose SYNs over it are dropped. */
static void ports_have_rules(void **state)
{
	static struct port_options ports[] = {
		{.port = 80, .has_budget = true},
		{.port = 81, .has_challenge = true, .challenge = CHALLENGE_AUTO},
	};
	static const struct {
		uint16_t port;
		enum reason reason; /* of what is over the budget */
	} rows[] = {{80, REASON_SYN}, {81, REASON_NOT_SERVED}, {82, REASON_PORT_BUDGET}};
	struct filter filter;
	int failures = 0;

	(void)state;
	load(&filter,
	     &(struct run_options){
		     .port_budget = 10, .challenge = CHALLENGE_OFF, .ports = ports, .port_count = COUNT_OF(ports)});
	assert_int_equal(load_config__protect("82", filter.maps->protected), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct listener listener = {.slot = SLOT + i, .listening = 1};
		uint32_t port = rows[i].port;

		assert_int_equal(bpf_map_update_elem(filter.maps->listeners, &port, &listener, BPF_ANY), 0);
		frame_build(&frame, &(struct frame_spec){});
		frame_set16(&frame, frame.ip + 22, port);
		for (int n = 0; n < 100; n++)
			assert_true(filter_run(&filter, &frame, NULL) >= 0);
		failures += !filter_expect(&filter, "a SYN over the budget", &frame, rows[i].reason);
	}
	filter_free(&filter);
	assert_int_equal(failures, 0);
}

/* What a map holds: entries of a hash; entries of an array that are not all zero; 0 of other kinds. */
static uint64_t entries(int map)
{
	static uint8_t value[sizeof(struct hll)], zero[sizeof(value)]; /* the largest of them */
	struct bpf_map_info info = {};
	uint8_t keys[2][64];
	uint32_t len = sizeof(info);
	uint64_t count = 0;

	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &len), 0);
	if (info.type != BPF_MAP_TYPE_ARRAY && info.type != BPF_MAP_TYPE_HASH && info.type != BPF_MAP_TYPE_LRU_HASH &&
	    info.type != BPF_MAP_TYPE_LPM_TRIE)
		return 0;
	for (int err = bpf_map_get_next_key(map, NULL, keys[0]); !err;
	     err = bpf_map_get_next_key(map, keys[1], keys[0])) {
		memcpy(keys[1], keys[0], info.key_size);
		assert_int_equal(bpf_map_lookup_elem(map, keys[1], value), 0);
		count += memcmp(value, zero, info.value_size) != 0;
	}
	return count;
}

struct holdings {
#define X(name) uint64_t name;
	MAPS(X)
#undef X
};

static struct holdings holdings(const struct filter *filter)
{
	struct holdings h = {
#define X(name) .name = entries(filter->maps->name),
		MAPS(X)
#undef X
	};

	return h;
}

/* Sketches are cells that any source fills; all else must not show that there was a flood. */
static int compare_holdings(const struct holdings *before, const struct holdings *after)
{
	int failures = 0;

#define X(name)                                                                                                        \
	if (strcmp(#name, "sketches") && before->name != after->name) {                                                \
		print_error("the flood grew " #name " from %lu to %lu entries\n", before->name, after->name);          \
		failures++;                                                                                            \
	}
	MAPS(X)
#undef X
	return failures;
}

/* From random sources: SYNs to one port, over its budget and not; SYNs to every port; ACKs, FINs and RSTs. */
static void send_flood(const struct filter *filter, int ip6)
{
	static const uint32_t kinds[] = {SYN, SYN, SYN, ACK, FIN, RST, SYN, SYN};
	struct frame frames[COUNT_OF(kinds)];
	uint64_t address[2];
	uint16_t port;

	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
		frame_build(&frames[kind], &(struct frame_spec){.ip6 = ip6, .flags = kinds[kind]});
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct frame *f = &frames[i % COUNT_OF(kinds)];

		address[0] = dice();
		address[1] = dice();
		port = i % COUNT_OF(kinds) > 5 ? i / 2 : 80;
		frame_from(f, address);
		frame_set16(f, f->ip + (f->ip6 ? 42 : 22), port);
		assert_true(filter_run(filter, f, NULL) >= 0);
	}
}

static void flood_grows_nothing(void **state)
{
	struct holdings before, after;
	struct filter filter;
	int failures;

	(void)state;
	load(&filter, &(struct run_options){.port_budget = 1000, .challenge = CHALLENGE_AUTO, .source_limit = 1000});
	frame_build(&frame, &(struct frame_spec){});
	for (int i = 0; i < 5000; i++) /* what arming leaves behind is there from now on */
		filter_run(&filter, &frame, NULL);
	before = holdings(&filter);
	send_flood(&filter, false);
	send_flood(&filter, true);
	after = holdings(&filter);
	failures = compare_holdings(&before, &after);
	assert_int_equal(count_verified(&filter), 0);
	filter_free(&filter);
	assert_int_equal(failures, 0);
}

/* As the user side would for an armed port. */
static struct hll *begin_count(const struct filter *filter)
{
	struct port_gcra gcra = {.syns.armed_until_ns = filter_clock() + HOUR_NS};
	uint32_t slot = SLOT, estimator = 1;
	struct hll *hll = distinct_sources__map(filter->maps, 0);

	assert_non_null(hll);
	distinct_sources__clear(hll);
	distinct_sources__prepare(hll, filter_clock());
	assert_int_equal(bpf_map_update_elem(filter->maps->estimators, &slot, &estimator, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(filter->maps->port_tats, &slot, &gcra, BPF_ANY), 0);
	return hll;
}

enum order { SEQUENTIAL, RANDOM, NETWORKS /* IPv6 /64s, one after the other */ };

/* Each source twice: that must not count. */
static void send_from(const struct filter *filter, struct hll *hll, uint32_t sources, enum order order)
{
	uint32_t first = dice(), step = order == RANDOM ? 2654435761u : 1; /* odd: a permutation of 2^29 */

	frame_build(&frame, &(struct frame_spec){.ip6 = order == NETWORKS});
	for (uint32_t i = 0; i < sources; i++) {
		uint32_t source =
			htonl(0x40000000 | ((first + i * step) & 0x1fffffff)); /* none that is never answered */

		if (order == NETWORKS)
			frame_from(&frame, (uint32_t[4]){htonl(0x20010db8), source, dice(), dice()});
		else
			frame_from(&frame, &source);
		filter_run(filter, &frame, NULL);
		filter_run(filter, &frame, NULL);
		if (i % 4096 == 0)
			distinct_sources__prepare(hll, filter_clock());
	}
}

static int check_estimate(uint32_t right, uint64_t estimate, const char *what)
{
	uint64_t off = estimate > right ? estimate - right : right - estimate;

	if (off * 100 < right * 3ULL)
		return 0;
	print_error("%u %s sources: estimated %lu\n", right, what, estimate);
	return 1;
}

static void sources_are_counted(void **state)
{
	static const char *const orders[] = {"sequential", "random", "/64"};
	struct filter filter;
	struct hll *hll;
	int failures = 0;

	(void)state;
	load(&filter, &(struct run_options){.port_budget = PORT_BUDGET_MAX, .challenge = CHALLENGE_OFF});
	for (uint32_t sources = 100; sources <= MOST_COUNT; sources *= 10) {
		for (unsigned order = SEQUENTIAL; order <= NETWORKS; order++) {
			hll = begin_count(&filter);
			send_from(&filter, hll, sources, order);
			failures +=
				check_estimate(sources, distinct_sources__estimate(hll, filter_clock()), orders[order]);
			distinct_sources__unmap(hll);
		}
	}
	filter_free(&filter);
	assert_int_equal(failures, 0);
}

/*
 * More than can be sent here within the ten seconds that are counted (tests/e2e/attack.sh floods as many): the
 * registers as uniform hashes would leave them.
 */
static void ten_million_sources(void **state)
{
	static uint8_t registers[HLL_REGISTERS];

	(void)state;
	for (uint32_t i = 0; i < MOST_HASHES; i++) {
		uint64_t hash = dice(), rest = hash >> HLL_BITS;
		uint8_t *at = &registers[hash % HLL_REGISTERS], rank = rest ? __builtin_ctzll(rest) + 1 : 1;

		if (rank > *at)
			*at = rank;
	}
	assert_int_equal(check_estimate(MOST_HASHES, distinct_sources__of_registers(registers), "random"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budget_is_held),      cmocka_unit_test(ports_have_rules),
		cmocka_unit_test(flood_grows_nothing), cmocka_unit_test(sources_are_counted),
		cmocka_unit_test(ten_million_sources),
	};

	return cmocka_run_group_tests_name("port budget", tests, NULL, NULL);
}
