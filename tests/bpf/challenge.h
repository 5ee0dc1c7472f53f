/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters with ports that are over their budget, and frames to them. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_CHALLENGE_H
#define SYNWARDEN_TESTS_CHALLENGE_H

#include "challenge_reply.h"
#include "lib/own_netns.h"
#include "lib/text.h"

#define BUDGET	1000
#define SERVED	"198.51.100.1:80,[2001:db8:1::1]:80,81,82,83,84"
#define WSCALE	9 /* of this host, as in the filter's configuration */
#define SEQ	7 /* of all frames */
#define HOUR_NS 3600000000000ULL

/* Ports that have a slot; the slot is the port less 79. */
enum { PORT = 80, PORT_UNHEARD, PORT_RCVBUF, PORT_HALF_OPEN, PORT_FULL, PORT_UNSERVED, PORT_NEXT };

static struct filter enforcing, dropping, dry;
static struct frame frame, reply;
static int listening[FAMILIES][PORT_NEXT];

static inline uint32_t slot_of(uint16_t port)
{
	return port - PORT + 1;
}

/* No token left, and none to come for an hour: every SYN is over the budget. Disarmed. */
static inline void exhaust(const struct filter *filter)
{
	struct port_gcra gcra = {.syns.tat_ns = filter_clock() + HOUR_NS};
	struct port_count none[libbpf_num_possible_cpus()];

	memset(none, 0, sizeof(none));
	for (uint32_t port = PORT; port < PORT_NEXT; port++) {
		uint32_t slot = slot_of(port);

		assert_int_equal(bpf_map_update_elem(filter->maps->port_tats, &slot, &gcra, BPF_ANY), 0);
		assert_int_equal(bpf_map_update_elem(filter->maps->ports, &slot, none, BPF_ANY), 0);
	}
}

static inline void disarm(const struct filter *filter)
{
	assert_int_equal(bpf_map_update_elem(filter->maps->armed, &(uint32_t){0}, &(struct armed){}, BPF_ANY), 0);
	exhaust(filter);
}

static inline void keep_options(const struct filter *filter, bool timestamps)
{
	struct cookie_policy policy = {.timestamps = timestamps, .sack = 1, .scaling = 1, .wscale = WSCALE, .ecn = 1};

	assert_int_equal(bpf_map_update_elem(filter->maps->cookie_policy, &(uint32_t){0}, &policy, BPF_ANY), 0);
}

static inline void load_for(struct filter *filter, const struct run_options *options, const char *served, bool preempts)
{
	filter_load_for(filter, options, preempts);
	assert_int_equal(load_config__protect(served, filter->maps->protected), 0);
	for (uint32_t port = PORT; port < PORT_NEXT; port++) {
		struct listener listener = {.slot = slot_of(port), .listening = 1};

		assert_int_equal(bpf_map_update_elem(filter->maps->listeners, &port, &listener, BPF_ANY), 0);
	}
	disarm(filter);
}

static inline void load(struct filter *filter, const struct run_options *options, const char *served)
{
	load_for(filter, options, served, false);
}

static inline uint32_t tcp_at(const struct frame_spec *spec)
{
	uint32_t at = frame.ip + (frame.ip6 ? 40 : 20 + spec->ip_options);

	for (const struct frame_ext *ext = spec->ext; frame_has_ext(ext); ext++)
		at += 8 + ext->len * 8;
	return at;
}

static inline void build(const struct frame_spec *spec, int ip6)
{
	struct frame_spec copy = *spec;

	copy.ip6 = ip6 || copy.ip6;
	frame_build(&frame, &copy);
}

static inline void set_options(const uint8_t *options, size_t len)
{
	memcpy(frame.bytes + frame.tcp + 20, options, len);
	frame_sums(&frame);
}

static inline uint64_t armed_until(const struct filter *filter)
{
	struct armed armed;

	assert_int_equal(bpf_map_lookup_elem(filter->maps->armed, &(uint32_t){0}, &armed), 0);
	return armed.syns_until_ns;
}

static inline void set32(uint32_t at, uint32_t value)
{
	uint32_t net = htonl(value);

	memcpy(frame.bytes + at, &net, sizeof(net));
}

/* The segment that would follow a SYN: `flags`, the next sequence number, and an acknowledgement. */
static inline void build_segment(const struct frame_spec *syn, int ip6, uint32_t flags, uint32_t ack)
{
	struct frame_spec spec = *syn;

	spec.flags = flags;
	spec.payload = 0;
	spec.pad = 0;
	build(&spec, ip6);
	set32(tcp_at(&spec) + 4, SEQ + 1);
	set32(tcp_at(&spec) + 8, ack);
}

/* Runs the frame, a SYN that is to be challenged; the answer is left in `reply`. */
static inline bool is_challenged(const struct filter *filter, const char *what)
{
	struct verdict_count before[REASON_MAX], after[REASON_MAX];
	int action;

	if (!filter_explains(filter, what, &frame, REASON_CHALLENGED))
		return false;
	filter_verdicts(filter, before);
	action = filter_run(filter, &frame, &reply);
	filter_verdicts(filter, after);
	reply.ip = frame.ip;
	reply.ip6 = frame.ip6;
	if (!filter_counted(what, before, after, REASON_CHALLENGED, frame.len))
		return false;
	if (action != XDP_TX)
		print_error("%s: XDP action %d, expected %d\n", what, action, XDP_TX);
	filter_seen[REASON_CHALLENGED] = true;
	return action == XDP_TX;
}

static inline uint32_t cookie_of_reply(void)
{
	return reply_load(&reply, reply_tcp_at(&reply) + 4);
}

/* Challenges a plain SYN and returns the cookie. */
static inline uint32_t challenge(const struct frame_spec *spec, int ip6)
{
	build(spec, ip6);
	assert_true(is_challenged(&enforcing, "a SYN over budget"));
	return cookie_of_reply();
}

/* Runs a frame of this description in both families. */
static inline int expect_both(const struct filter *filter, const char *what, const struct frame_spec *spec,
			      enum reason reason)
{
	int failures = 0;

	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		build(spec, ip6);
		failures += !filter_expect(filter, what, &frame, reason);
	}
	return failures;
}

/* Runs the frame as it will be enforced, and in a dry run, which must judge the same. */
static inline bool expect_alike(const char *what, enum reason reason)
{
	return filter_expect(&enforcing, what, &frame, reason) && filter_expect(&dry, what, &frame, reason);
}

/* Puts the IPv4 client on a list, or takes it off. */
static inline void list_client(const struct filter *filter, enum list list, bool on)
{
	struct prefix prefix = {.prefixlen = 128, .words = {0, 0, htonl(0xffff), htonl(0xc0000201)}};

	if (on)
		filter_list(&filter->own, list, &prefix, 0);
	else
		filter_unlist(&filter->own, list, &prefix);
}

static inline struct reply_spec expected(int ip6, uint16_t mtu, const struct offer *kept)
{
	struct reply_spec spec = {.mss = mtu - (ip6 ? 60 : 40), .wscale = WSCALE};

	if (kept)
		spec.offer = *kept;
	return spec;
}

static inline void listen_anew(int ip6)
{
	close(listening[ip6][PORT]);
	listening[ip6][PORT] = net_listen(ip6, PORT, &(struct listen_options){.backlog = 16});
}

static inline int set_up(void **state)
{
	static const struct {
		uint16_t port;
		struct listen_options options;
	} rows[] = {
		{PORT, {.backlog = 16}},
		{PORT_RCVBUF, {.backlog = 16, .rcvbuf = 8192}},
		{PORT_HALF_OPEN, {.backlog = 16, .defer_accept = 30}},
		{PORT_FULL, {.backlog = 0}},
	};

	(void)state;
	net_enter();
	net_sysctl("tcp_syncookies", 2);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int ip6 = 0; ip6 < FAMILIES; ip6++)
			listening[ip6][rows[i].port] = net_listen(ip6, rows[i].port, &rows[i].options);
	load(&enforcing, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO}, SERVED);
	load(&dropping, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_OFF}, SERVED);
	load(&dry, &(struct run_options){.port_budget = BUDGET, .challenge = CHALLENGE_AUTO, .dry_run = true}, SERVED);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	filter_free(&enforcing);
	filter_free(&dropping);
	filter_free(&dry);
	return 0;
}

#endif
