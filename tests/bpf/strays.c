// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments without a connection, over the stray budget and within it: which are dropped, and what is left alone.
 * Against real listeners in a network namespace of the test's own. Who arms a port by the kernel's RSTs:
 * tests/e2e/strays.sh.
 *
 * test: asan-slow kernels-quick
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"

#define PORT_HIGH 8080
#define SLOT_HIGH 20

static struct filter strays, watching;

/* What a case changes before the segment comes. */
struct scene {
	bool unarmed, armed_syns, within; /* of the port */
	bool above, bound;
	uint32_t ended_ms_ago, started_ms_ago; /* a listener; this host, or it gained an address; 0: none */
	bool untold, answers, any;	       /* of `forwards`: not fresh; sources are translated, or any port */
	uint16_t translated;
};

/* No stray is left to the port for an hour, or a batch is. */
static void set_budget(const struct filter *filter, uint32_t slot, const struct scene *scene)
{
	uint64_t now = filter_clock();
	struct port_gcra gcra = {
		.strays.tat_ns = scene->within ? 0 : now + HOUR_NS,
		.strays.armed_until_ns = scene->unarmed ? 0 : now + HOUR_NS,
		.syns.armed_until_ns = scene->armed_syns ? now + HOUR_NS : 0,
	};
	struct port_count none[libbpf_num_possible_cpus()];

	memset(none, 0, sizeof(none));
	assert_int_equal(bpf_map_update_elem(filter->maps->port_tats, &slot, &gcra, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(filter->maps->ports, &slot, none, BPF_ANY), 0);
}

static void set_port(const struct filter *filter, uint32_t port, const struct scene *scene)
{
	struct port_strays own;

	assert_int_equal(bpf_map_lookup_elem(filter->maps->strays, &port, &own), 0);
	own.bound = scene->bound;
	own.ended_ms = 0;
	if (scene->ended_ms_ago)
		own.ended_ms = (uint32_t)(filter_clock() / 1000000) - scene->ended_ms_ago ?: 1;
	assert_int_equal(bpf_map_update_elem(filter->maps->strays, &port, &own, BPF_ANY), 0);
}

static void set_above(const struct filter *filter, bool above)
{
	static struct local local;

	assert_int_equal(bpf_map_lookup_elem(filter->maps->locals, &(uint32_t){0}, &local), 0);
	for (size_t i = 0; i < LOCAL_MAC_BUCKETS; i++)
		for (size_t way = 0; way < LOCAL_MAC_WAYS; way++)
			local.macs[i][way].above = above;
	assert_int_equal(bpf_map_update_elem(filter->maps->locals, &(uint32_t){0}, &local, BPF_ANY), 0);
}

static void set_forwards(const struct filter *filter, const struct scene *scene)
{
	static struct forwards forwards;

	forwards = (struct forwards){
		.until_ns = scene->untold ? 0 : filter_clock() + HOUR_NS,
		.answers = scene->answers,
		.any = scene->any,
	};
	forwards.ports[scene->translated / 8] |= scene->translated ? 1 << scene->translated % 8 : 0;
	assert_int_equal(bpf_map_update_elem(filter->maps->forwards, &(uint32_t){0}, &forwards, BPF_ANY), 0);
}

static void set_scene(const struct filter *filter, uint16_t port, const struct scene *scene)
{
	struct armed armed = {};

	if (!scene->unarmed || scene->armed_syns)
		armed.any_until_ns = filter_clock() + HOUR_NS;
	assert_int_equal(bpf_map_update_elem(filter->maps->armed, &(uint32_t){0}, &armed, BPF_ANY), 0);
	set_budget(filter, port == PORT_HIGH ? SLOT_HIGH : slot_of(port), scene);
	set_port(filter, port, scene);
	set_port(filter, 0, &(struct scene){.ended_ms_ago = scene->started_ms_ago});
	set_above(filter, scene->above);
	set_forwards(filter, scene);
}

/* A listener ended, and the port is armed for SYNs. */
#define AFTER_RESTART .unarmed = true, .armed_syns = true, .ended_ms_ago = 1000

static const struct {
	const char *what;
	struct scene scene;
	struct frame_spec frame;
	enum reason reason;
} cases[] = {
	{"ACK", {}, {.flags = ACK}, REASON_STRAY_ACK},
	{"data", {}, {.flags = PSH | ACK}, REASON_STRAY_ACK},
	{"neither ACK nor SYN", {}, {.flags = PSH}, REASON_STRAY_ACK},
	{"FIN", {}, {.flags = FIN | ACK}, REASON_STRAY_FIN},
	{"RST", {}, {.flags = RST}, REASON_STRAY_RST},
	{"SYN-ACK", {}, {.flags = SYN | ACK}, REASON_STRAY_SYNACK},
	{"ACK within the budget", {.within = true}, {.flags = ACK}, REASON_SEGMENT},
	{"RST within the budget", {.within = true}, {.flags = RST}, REASON_SEGMENT},
	{"ACK, not armed", {.unarmed = true}, {.flags = ACK}, REASON_SEGMENT},
	{"RST, not armed", {.unarmed = true}, {.flags = RST}, REASON_STRAY_RST},
	{"ACK, armed for SYNs", {.unarmed = true, .armed_syns = true}, {.flags = ACK}, REASON_STRAY_ACK},
	{"ACK, armed for SYNs, within",
	 {.unarmed = true, .armed_syns = true, .within = true},
	 {.flags = ACK},
	 REASON_SEGMENT},
	{"RST after a restart", {.unarmed = true, .ended_ms_ago = 29000}, {.flags = RST}, REASON_SEGMENT},
	{"RST 31 s after one", {.unarmed = true, .ended_ms_ago = 31000}, {.flags = RST}, REASON_STRAY_RST},
	{"RST after a start", {.unarmed = true, .started_ms_ago = 29000}, {.flags = RST}, REASON_SEGMENT},
	{"RST 31 s after one", {.unarmed = true, .started_ms_ago = 31000}, {.flags = RST}, REASON_STRAY_RST},
	{"ACK after a start, armed before", {.started_ms_ago = 1000}, {.flags = ACK}, REASON_STRAY_ACK},
	{"RST, the clock has wrapped since",
	 {.unarmed = true, .ended_ms_ago = 1U << 31},
	 {.flags = RST},
	 REASON_STRAY_RST},
	{"ACK after a restart, armed before", {.ended_ms_ago = 1000}, {.flags = ACK}, REASON_STRAY_ACK},
	{"ACK after a restart, armed for SYNs", {AFTER_RESTART}, {.flags = ACK}, REASON_STRAY_ACK},
	{"a device above", {.above = true}, {.flags = ACK}, REASON_STRAY_ACK},
	{"a socket bound to a device", {.bound = true}, {.flags = ACK}, REASON_STRAY_ACK},
	{"a socket that may be bound to a device above",
	 {.above = true, .bound = true},
	 {.flags = ACK},
	 REASON_SEGMENT},
	{"the same, armed for SYNs",
	 {.above = true, .bound = true, .unarmed = true, .armed_syns = true},
	 {.flags = ACK},
	 REASON_SEGMENT},
	{"not served", {}, {.flags = ACK, .dport = PORT_UNSERVED}, REASON_SEGMENT},
	{"a port without a slot", {}, {.flags = RST, .dport = 4711}, REASON_SEGMENT},
	{"no socket", {}, {.flags = ACK, .dport = PORT_UNHEARD}, REASON_SEGMENT},
	{"translated", {.translated = PORT}, {.flags = ACK}, REASON_SEGMENT},
	{"another port is translated", {.translated = PORT + 1}, {.flags = ACK}, REASON_STRAY_ACK},
	{"any port may be translated", {.any = true}, {.flags = ACK}, REASON_SEGMENT},
	{"any port may be translated, a RST", {.any = true}, {.flags = RST}, REASON_SEGMENT},
	{"any port may be, a listener ended", {.any = true, AFTER_RESTART}, {.flags = ACK}, REASON_SEGMENT},
	{"translated, a listener ended", {.translated = PORT, AFTER_RESTART}, {.flags = ACK}, REASON_SEGMENT},
	{"rules unknown", {.untold = true}, {.flags = ACK}, REASON_SEGMENT},
	{"rules unknown, a RST, not armed", {.untold = true, .unarmed = true}, {.flags = RST}, REASON_SEGMENT},
	{"rules unknown, a listener ended", {.untold = true, AFTER_RESTART}, {.flags = ACK}, REASON_SEGMENT},
	{"masquerading, a low port", {.answers = true}, {.flags = ACK}, REASON_STRAY_ACK},
	{"masquerading, a high port", {.answers = true}, {.flags = ACK, .dport = PORT_HIGH}, REASON_SEGMENT},
	{"no masquerading, a high port", {}, {.flags = ACK, .dport = PORT_HIGH}, REASON_STRAY_ACK},
	{"a high port, rules unknown", {.untold = true}, {.flags = ACK, .dport = PORT_HIGH}, REASON_SEGMENT},
};

/* What the kernel has just refused at the address of all frames. */
struct closed_scene {
	struct scene port;
	bool unarmed; /* closed ports together */
	bool nothing, syn, other_address, other_epoch, listening;
	uint32_t ms_ago;
};

#define CLOSED 700

static void mark_closed(const struct filter *filter, uint16_t port, const struct closed_scene *scene, int ip6)
{
	static struct refused_mark marks[REFUSED_MARKS];
	static struct local local;
	struct prefix prefix;
	const char *why;
	uint32_t bucket, way = 0;
	struct addr addr;

	assert_int_equal(parse_cidr(ip6 ? "2001:db8:1::1" : "198.51.100.1", &prefix, &why), 0);
	memcpy(addr.words, prefix.words, sizeof(addr.words));
	assert_int_equal(bpf_map_lookup_elem(filter->maps->locals, &(uint32_t){0}, &local), 0);
	bucket = local_bucket(&addr);
	while (memcmp(&local.addrs[bucket][way], &addr, sizeof(addr)))
		assert_true(++way < LOCAL_WAYS);
	memset(marks, 0, sizeof(marks));
	if (!scene->nothing) {
		uint16_t place = bucket * LOCAL_WAYS + way + 1;

		marks[(port + place * 40503U) % REFUSED_MARKS] = (struct refused_mark){
			.time_ms = filter_clock() / 1000000 - scene->ms_ago,
			.place = place + scene->other_address,
			.epoch = (local.epoch + scene->other_epoch) << 1 | scene->syn,
		};
	}
	assert_int_equal(bpf_map_update_elem(filter->maps->refused_marks, &(uint32_t){0}, marks, BPF_ANY), 0);
}

static void set_closed(const struct filter *filter, uint16_t port, const struct closed_scene *scene, int ip6)
{
	struct listener listener = {.listening = scene->listening};
	struct scene together = {.unarmed = scene->unarmed, .within = scene->port.within};
	uint32_t key = port;

	set_scene(filter, PORT, &scene->port);
	set_port(filter, port, &scene->port);
	assert_int_equal(bpf_map_update_elem(filter->maps->listeners, &key, &listener, BPF_ANY), 0);
	set_budget(filter, 0, &together);
	mark_closed(filter, port, scene, ip6);
}

static const struct {
	const char *what;
	struct closed_scene scene;
	struct frame_spec frame;
	enum reason reason;
} closed[] = {
	{"a SYN", {.syn = true}, {}, REASON_CLOSED_PORT},
	{"an ACK", {.syn = true}, {.flags = ACK}, REASON_STRAY_ACK},
	{"a FIN", {.syn = true}, {.flags = FIN | ACK}, REASON_STRAY_FIN},
	{"a RST", {.syn = true}, {.flags = RST}, REASON_STRAY_RST},
	{"a SYN-ACK", {.syn = true}, {.flags = SYN | ACK}, REASON_STRAY_SYNACK},
	{"a SYN-ACK where one was refused", {}, {.flags = SYN | ACK}, REASON_STRAY_SYNACK},
	{"a SYN where a segment was refused", {}, {}, REASON_SYN},
	{"a SYN within the budget", {.syn = true, .port.within = true}, {}, REASON_SYN},
	{"an ACK within it", {.syn = true, .port.within = true}, {.flags = ACK}, REASON_SEGMENT},
	{"a SYN, not armed", {.syn = true, .unarmed = true}, {}, REASON_SYN},
	{"an ACK, not armed", {.syn = true, .unarmed = true}, {.flags = ACK}, REASON_SEGMENT},
	{"nothing refused", {.nothing = true}, {}, REASON_SYN},
	{"nothing refused, an ACK", {.nothing = true}, {.flags = ACK}, REASON_SEGMENT},
	{"refused nine seconds ago", {.syn = true, .ms_ago = 9000}, {}, REASON_CLOSED_PORT},
	{"refused eleven seconds ago", {.syn = true, .ms_ago = 11000}, {}, REASON_SYN},
	{"refused 2^32 ms less a second ago", {.syn = true, .ms_ago = 1000U - 2000U}, {}, REASON_SYN},
	{"refused at another address", {.syn = true, .other_address = true}, {}, REASON_SYN},
	{"refused before addresses changed", {.syn = true, .other_epoch = true}, {}, REASON_SYN},
	{"a listener there", {.syn = true, .listening = true}, {}, REASON_SYN},
	{"rules unknown", {.syn = true, .port.untold = true}, {}, REASON_SYN},
	{"any port may be translated", {.syn = true, .port.any = true}, {}, REASON_SYN},
	{"translated", {.syn = true, .port.translated = CLOSED}, {}, REASON_SYN},
	{"another is translated", {.syn = true, .port.translated = CLOSED + 1}, {}, REASON_CLOSED_PORT},
	{"masquerading, a low port", {.syn = true, .port.answers = true}, {}, REASON_CLOSED_PORT},
	{"masquerading, an ACK to a low port", {.syn = true, .port.answers = true}, {.flags = ACK}, REASON_SEGMENT},
	{"a device above", {.syn = true, .port.above = true}, {}, REASON_SYN},
	{"a device above, an ACK", {.syn = true, .port.above = true}, {.flags = ACK}, REASON_SEGMENT},
	{"a listener ended", {.syn = true, .port.ended_ms_ago = 1000}, {}, REASON_SYN},
};

static void closed_ports(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(closed); i++) {
		for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
			struct frame_spec spec = closed[i].frame;

			spec.dport = CLOSED;
			set_closed(&strays, CLOSED, &closed[i].scene, ip6);
			set_closed(&watching, CLOSED, &closed[i].scene, ip6);
			build(&spec, ip6);
			failures += !filter_expect(&strays, closed[i].what, &frame, closed[i].reason);
			failures += !filter_expect(&watching, closed[i].what, &frame, closed[i].reason);
		}
	}
	assert_int_equal(failures, 0);
}

/* A socket of this host that has connected from the port, to where frames come from. */
static void connection_from_a_closed_port(void **state)
{
	const struct closed_scene scene = {.syn = true};
	struct sockaddr_storage there;
	int peer, fd;

	(void)state;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		peer = net_bound(ip6, client_addresses[ip6], CLIENT_PORT, 0);
		assert_int_equal(listen(peer, 1), 0);
		fd = net_bound(ip6, server_addresses[ip6], CLOSED, 0);
		assert_int_equal(
			connect(fd, (void *)&there, net_address(&there, ip6, client_addresses[ip6], CLIENT_PORT)), 0);
		set_closed(&strays, CLOSED, &scene, ip6);
		build(&(struct frame_spec){.dport = CLOSED}, ip6);
		assert_true(filter_expect(&strays, "a SYN to a connection", &frame, REASON_SYN));
		build(&(struct frame_spec){.dport = CLOSED, .flags = SYN | ACK}, ip6);
		assert_true(filter_expect(&strays, "a SYN-ACK to it", &frame, REASON_SEGMENT));
		build(&(struct frame_spec){.dport = CLOSED + 1, .flags = SYN | ACK}, ip6);
		set_closed(&strays, CLOSED + 1, &scene, ip6);
		assert_true(filter_expect(&strays, "a SYN-ACK beside it", &frame, REASON_STRAY_SYNACK));
		close(fd);
		close(peer);
	}
}

static bool run_case(size_t i, int ip6, const struct filter *filter)
{
	uint16_t port = cases[i].frame.dport ?: PORT;
	char what[120];

	snprintf(what, sizeof(what), "%s, IPv%d", cases[i].what, ip6 ? 6 : 4);
	set_scene(filter, port == 4711 ? PORT : port, &cases[i].scene);
	build(&cases[i].frame, ip6);
	return filter_expect(filter, what, &frame, cases[i].reason);
}

static void verdicts(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int ip6 = 0; ip6 < FAMILIES; ip6++)
			failures += !run_case(i, ip6, &strays) + !run_case(i, ip6, &watching);
	assert_int_equal(failures, 0);
}

static uint64_t armed_strays(uint32_t slot)
{
	struct port_gcra gcra;

	assert_int_equal(bpf_map_lookup_elem(strays.maps->port_tats, &slot, &gcra), 0);
	return gcra.strays.armed_until_ns;
}

/* RSTs are all that XDP arms a port by; the first that is over the budget does. */
static void resets_arm(void **state)
{
	(void)state;
	set_scene(&strays, PORT, &(struct scene){.unarmed = true, .ended_ms_ago = 1000});
	assert_int_equal(expect_both(&strays, "after a restart", &(struct frame_spec){.flags = RST}, REASON_SEGMENT),
			 0);
	assert_int_equal(armed_strays(slot_of(PORT)), 0);
	set_scene(&strays, PORT, &(struct scene){.unarmed = true, .any = true});
	assert_int_equal(expect_both(&strays, "maybe for others", &(struct frame_spec){.flags = RST}, REASON_SEGMENT),
			 0);
	assert_int_equal(armed_strays(slot_of(PORT)), 0);
	set_scene(&strays, PORT, &(struct scene){.unarmed = true, .within = true});
	assert_int_equal(expect_both(&strays, "within", &(struct frame_spec){.flags = RST}, REASON_SEGMENT), 0);
	assert_int_equal(armed_strays(slot_of(PORT)), 0);
	set_scene(&strays, PORT, &(struct scene){.unarmed = true});
	assert_int_equal(expect_both(&strays, "over it", &(struct frame_spec){.flags = RST}, REASON_STRAY_RST), 0);
	assert_true(armed_strays(slot_of(PORT)) > filter_clock());
	assert_int_equal(expect_both(&strays, "ACK, now", &(struct frame_spec){.flags = ACK}, REASON_STRAY_ACK), 0);
}

/* What is dropped is counted by kind, and proves nothing of the address. */
static void what_is_left_behind(void **state)
{
	static const uint32_t flags[] = {ACK, ACK, ACK, ACK, FIN | ACK, FIN | ACK, FIN | ACK, RST, RST, SYN | ACK};
	struct port_count count;

	(void)state;
	set_scene(&strays, PORT, &(struct scene){});
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		build(&(struct frame_spec){.flags = flags[i]}, IP4);
		assert_int_equal(filter_run(&strays, &frame, NULL), XDP_DROP);
	}
	filter_sum(strays.maps->ports, slot_of(PORT), (uint64_t *)&count, sizeof(count) / sizeof(uint64_t));
	assert_int_equal(count.stray_acks, 4);
	assert_int_equal(count.stray_fins, 3);
	assert_int_equal(count.stray_rsts, 2);
	assert_int_equal(count.stray_synacks, 1);
	assert_true(!count.served.halves[0] && !count.served.halves[1]);
}

/* A rule of the port's own: without a budget, only SYNs arm it, and then no stray passes. */
static void port_without_a_budget(void **state)
{
	struct port_options port = {.port = PORT, .has_stray_budget = true};
	struct filter own;
	int failures = 0;

	(void)state;
	load(&own,
	     &(struct run_options){.port_budget = BUDGET,
				   .challenge = CHALLENGE_AUTO,
				   .stray_budget = BUDGET,
				   .ports = &port,
				   .port_count = 1},
	     SERVED);
	set_scene(&own, PORT, &(struct scene){.unarmed = true});
	failures += expect_both(&own, "RST, not armed", &(struct frame_spec){.flags = RST}, REASON_SEGMENT);
	set_scene(&own, PORT, &(struct scene){.unarmed = true, .armed_syns = true, .within = true});
	failures += expect_both(&own, "RST, armed for SYNs", &(struct frame_spec){.flags = RST}, REASON_STRAY_RST);
	set_scene(&own, PORT_RCVBUF, &(struct scene){});
	failures += expect_both(&own, "another port", &(struct frame_spec){.flags = ACK, .dport = PORT_RCVBUF},
				REASON_STRAY_ACK);
	filter_free(&own);
	assert_int_equal(failures, 0);
}

/* The rate is held: of many more than the budget, what passes is the budget. */
static void budget_is_held(void **state)
{
	struct filter held;
	uint64_t start, elapsed, passed = 0, sent = 0;

	(void)state;
	load(&held, &(struct run_options){.stray_budget = 10000}, SERVED);
	set_scene(&held, PORT, &(struct scene){.within = true});
	build(&(struct frame_spec){.flags = ACK}, IP4);
	for (start = filter_clock(); (elapsed = filter_clock() - start) < HOUR_NS / 3600; sent++)
		passed += filter_run(&held, &frame, NULL) == XDP_PASS;
	print_message("%lu of %lu passed in %lu ms\n", passed, sent, elapsed / 1000000);
	assert_true(passed >= 10000 * (elapsed / 1000) / 1000000 * 9 / 10);
	assert_true(passed <= 10000 * (elapsed / 1000) / 1000000 * 13 / 10);
	assert_true(sent > 2 * passed);
	filter_free(&held);
}

static int set_up_strays(void **state)
{
	struct run_options options = {.port_budget = BUDGET, .challenge = CHALLENGE_AUTO, .stray_budget = BUDGET};
	struct listener high = {.slot = SLOT_HIGH, .listening = 1};

	if (set_up(state))
		return -1;
	for (int ip6 = 0; ip6 < FAMILIES; ip6++)
		net_listen(ip6, PORT_HIGH, &(struct listen_options){.backlog = 16});
	load(&strays, &options, SERVED ",8080");
	options.dry_run = true;
	load(&watching, &options, SERVED ",8080");
	for (struct filter *filter = &strays; filter; filter = filter == &strays ? &watching : NULL)
		assert_int_equal(bpf_map_update_elem(filter->maps->listeners, &(uint32_t){PORT_HIGH}, &high, BPF_ANY),
				 0);
	return 0;
}

static int tear_down_strays(void **state)
{
	filter_free(&strays);
	filter_free(&watching);
	return tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(closed_ports),
		cmocka_unit_test(connection_from_a_closed_port),
		cmocka_unit_test(resets_arm),
		cmocka_unit_test(what_is_left_behind),
		cmocka_unit_test(port_without_a_budget),
		cmocka_unit_test(budget_is_held),
	};

	return cmocka_run_group_tests_name("strays", tests, set_up_strays, tear_down_strays);
}
