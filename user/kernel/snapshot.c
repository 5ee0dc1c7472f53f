// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps -> plain structs. Arrays are read whole, in batches, and summed over the CPUs here: a system call an entry would
 * cost more than all the rest of an idle `run`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/snapshot.h"
#include "kernel/snapshot_parts.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"
#include "text/names.h"

#define LISTENERS_BYTES (LISTENER_PORTS * sizeof(struct listener))

static int cpus(void)
{
	static int n;

	if (!n)
		n = libbpf_num_possible_cpus();
	return n;
}

#define BATCH 64

/* The first `count` entries of an array of per-CPU values: each is `words` 64-bit counters, summed into totals[entry].
 */
static int sum_all(int fd, __u32 count, uint64_t *totals, size_t words)
{
	size_t stride = cpus() * words;
	uint64_t *values = calloc(BATCH, stride * sizeof(*values));
	__u32 keys[BATCH], token, done = 0;
	int err = values ? 0 : -1;

	memset(totals, 0, count * words * sizeof(*totals));
	while (!err && done < count) {
		__u32 got = count - done < BATCH ? count - done : BATCH;

		err = bpf_map_lookup_batch(fd, done ? &token : NULL, &token, keys, values, &got, NULL);
		for (size_t i = 0; (!err || errno == ENOENT) && i < got * stride; i++)
			totals[(done + i / stride) * words + i % words] += values[i];
		done += got;
		if (err && errno == ENOENT && done == count)
			err = 0; /* that was the last entry */
	}
	free(values);
	return err;
}

/* The same, of values that are not per CPU, of `size` bytes. */
static int read_all(int fd, __u32 count, void *values, size_t size)
{
	__u32 keys[BATCH], token, done = 0;
	int err = 0;

	while (!err && done < count) {
		__u32 got = count - done < BATCH ? count - done : BATCH;

		err = bpf_map_lookup_batch(fd, done ? &token : NULL, &token, keys, (char *)values + done * size, &got,
					   NULL);
		done += got;
		if (err && errno == ENOENT && done == count)
			err = 0;
	}
	return err;
}

#define SUM_ALL(fd, count, to) sum_all(fd, count, (uint64_t *)(to), sizeof(*(to)) / sizeof(uint64_t))

int snapshot__transitions(uint64_t transitions[STATE_MAX][STATE_MAX], const struct maps *maps)
{
	return SUM_ALL(maps->transitions, STATE_MAX * STATE_MAX, transitions[0]);
}

static int read_tables(struct snapshot *s, const struct maps *maps)
{
	int err = SUM_ALL(maps->verdicts, REASON_MAX, s->verdicts) | SUM_ALL(maps->losses, LOSS_MAX, s->losses) |
		  SUM_ALL(maps->tallies, TALLY_MAX, s->tallies) | SUM_ALL(maps->handshakes, ROLE_MAX, s->handshakes) |
		  SUM_ALL(maps->endings, ENDING_MAX * 2, s->endings[0]) |
		  SUM_ALL(maps->durations, STATE_MAX, s->durations);

	s->losses[LOSS_CENSUS] = s->census.unseen;
	return err | snapshot__transitions(s->transitions, maps);
}

/* By kind of a row of PORT_COUNTERS. */
#define READ_COUNTER(name) view->name = counted.name;
#define READ_CENSUS(name)  view->name = census->name;
#define READ_SYNS(name)	   /* by verdict, below */
#define READ_JUDGED(name)  view->name = slots->attacks[slot].name;

/* Of the CPU that has counted most of them. */
static void read_not_served(struct port_view *view, __u32 slot, const struct maps *maps)
{
	int cpus = libbpf_num_possible_cpus();
	struct port_count *counts = calloc(cpus, sizeof(*counts));
	uint64_t most = 0;

	if (counts && bpf_map_lookup_elem(maps->ports, &slot, counts) == 0)
		for (int i = 0; i < cpus; i++) {
			if (counts[i].not_served <= most)
				continue;
			most = counts[i].not_served;
			view->not_served_addr = counts[i].not_served_addr;
		}
	free(counts);
}

/* What the maps have by slot. */
struct slots {
	struct port_count counted[MAX_PORTS];
	struct port_gcra gcras[MAX_PORTS];
	struct attack attacks[MAX_PORTS];
	struct port_recent recents[MAX_PORTS];
};

/* NULL, with errno set, where they cannot be read. */
static struct slots *read_slots(__u32 count, const struct maps *maps)
{
	struct slots *slots = malloc(sizeof(*slots));

	if (!slots)
		return NULL;
	if (SUM_ALL(maps->ports, count, slots->counted) == 0 &&
	    read_all(maps->port_tats, count, slots->gcras, sizeof(*slots->gcras)) == 0 &&
	    read_all(maps->attacks, count, slots->attacks, sizeof(*slots->attacks)) == 0 &&
	    read_all(maps->recents, count, slots->recents, sizeof(*slots->recents)) == 0)
		return slots;
	free(slots);
	return NULL;
}

static void read_port(struct port_view *view, __u32 slot, const struct snapshot *s, const struct slots *slots,
		      const struct maps *maps)
{
	const struct port_census *census = &s->census.ports[slot];
	const struct port_count counted = slots->counted[slot];
	size_t i;

	view->slot = slot;
	view->armed_strays = slots->gcras[slot].strays.armed_until_ns > s->taken_ns;
	view->armed = slots->gcras[slot].syns.armed_until_ns > s->taken_ns;
	if (view->armed) /* else, where `run` is gone, its last evidence still stands in the map */
		view->attack = slots->attacks[slot];
	for (i = 0; i < VERDICT_MAX; i++)
		view->syns += counted.syns[i];
	view->sound_answers = counted.sound_answers;
	view->limited = counted.limited;
	view->over_budget = counted.over_budget;
	view->own = counted.own;
	view->reachable = census->reachable;
	view->recent = slots->recents[slot];
	if (counted.not_served)
		read_not_served(view, slot, maps);
	view->passed = counted.syns[VERDICT_PASS];
	view->dropped = counted.syns[VERDICT_DROP];
	view->challenged = counted.syns[VERDICT_TX];
#define X(kind, name, ...) READ_##kind(name)
	PORT_COUNTERS(X)
#undef X
}

struct listener *snapshot__map_listeners(const struct maps *maps)
{
	void *at = mmap(NULL, LISTENERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, maps->listeners, 0);

	return at == MAP_FAILED ? NULL : at;
}

void snapshot__unmap_listeners(struct listener *listeners)
{
	munmap(listeners, LISTENERS_BYTES);
}

/* Where no port has a rule of its own, or no HTTP is counted, the map has no room for any. */
static bool has_room(int map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(map, &info, &len) == 0 && info.max_entries > 1;
}

static int read_http(struct snapshot *s, const struct maps *maps)
{
	__u32 slots = HTTP_COUNT_PORTS;
	struct http_count *counts;

	s->http = has_room(maps->http_counts);
	if (!s->http)
		return 0;
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].slot >= slots - HTTP_COUNT_PORTS)
			slots = HTTP_COUNT_PORTS + s->ports[i].slot + 1;
	counts = calloc(slots, sizeof(*counts));
	if (!counts || SUM_ALL(maps->http_counts, slots, counts)) {
		free(counts);
		return -1;
	}
	s->http_client = counts[HTTP_COUNT_CLIENT];
	for (size_t i = 0; i < s->port_count; i++)
		s->ports[i].http = counts[HTTP_COUNT_PORTS + s->ports[i].slot];
	free(counts);
	return 0;
}

/* Without a budget, what was armed before a reload is not any more. */
static void read_strays(struct port_view *view, uint32_t budget)
{
	view->stray_budget = budget;
	view->armed_strays &= budget != 0;
}

static void read_rule(struct port_view *view, const struct snapshot *s, const struct maps *maps, bool has_rules)
{
	struct port_rule rule = {};
	__u32 port = view->port;

	if (!has_rules || bpf_map_lookup_elem(maps->port_rules, &port, &rule))
		rule.own = 0;
	view->own_rule = rule.own;
	view->budget = rule.own ? rule.budget : s->meta.port_budget;
	view->challenge = (rule.own ? rule.challenge : s->meta.challenge) == CHALLENGE_AUTO;
	read_strays(view, rule.own ? rule.stray_budget : s->meta.stray_budget);
}

/* Ports that have a slot for their counters, in order, behind "other"; returns how many slots that takes. */
static __u32 find_ports(struct snapshot *s, const struct listener *listeners)
{
	__u32 slots = 1;

	s->ports[0] = (struct port_view){};
	s->port_count = 1;
	s->unslotted = 0;
	for (__u32 port = 0; port < LISTENER_PORTS && s->port_count < MAX_PORTS; port++) {
		struct listener listener = listeners[port];

		if (!listener.slot || listener.slot >= MAX_PORTS) {
			s->unslotted += !!listener.listening;
			continue;
		}
		s->ports[s->port_count++] =
			(struct port_view){.port = port, .slot = listener.slot, .listening = listener.listening};
		if (listener.slot >= slots)
			slots = listener.slot + 1;
	}
	return slots;
}

static int read_ports(struct snapshot *s, const struct maps *maps)
{
	struct listener *listeners = snapshot__map_listeners(maps);
	bool rules = has_room(maps->port_rules);
	struct slots *slots;

	if (!listeners)
		return -1;
	slots = read_slots(find_ports(s, listeners), maps);
	snapshot__unmap_listeners(listeners);
	for (size_t i = 0; slots && i < s->port_count; i++) {
		read_port(&s->ports[i], s->ports[i].slot, s, slots, maps);
		if (i)
			read_rule(&s->ports[i], s, maps, rules);
		else
			read_strays(&s->ports[i], s->meta.stray_budget);
	}
	free(slots);
	return slots ? snapshot__read_served(s, maps) | read_http(s, maps) : -1;
}

/* Keeps the SNAPSHOT_SOURCES largest, in order. */
static void rank(void *context, const struct source_view *view)
{
	struct snapshot *s = context;
	size_t at = s->source_count;

	while (at > 0 && s->sources[at - 1].dropped < view->dropped)
		at--;
	if (at >= SNAPSHOT_SOURCES)
		return;
	if (s->source_count < SNAPSHOT_SOURCES)
		s->source_count++;
	memmove(&s->sources[at + 1], &s->sources[at], (s->source_count - at - 1) * sizeof(*view));
	s->sources[at] = *view;
}

/* Calls back for each source of which some were dropped. */
static int each_source(const struct maps *maps, void (*found)(void *context, const struct source_view *view),
		       void *context)
{
	struct source_drops_set *drops = calloc(cpus(), sizeof(*drops));
	struct source_set set;
	__u32 key, way;
	int cpu, err = drops ? 0 : -1;

	for (key = 0; !err && key < SOURCE_SETS; key++) {
		bool used = false;

		err = bpf_map_lookup_elem(maps->sources, &key, &set);
		for (way = 0; way < SOURCE_WAYS; way++)
			used |= set.ways[way].claimed_ns != 0;
		if (err || !used)
			continue;
		err = bpf_map_lookup_elem(maps->source_drops, &key, drops);
		for (way = 0; way < SOURCE_WAYS; way++) {
			struct source_view view = {.addr = set.ways[way].addr, .since_ns = set.ways[way].claimed_ns};

			for (cpu = 0; cpu < cpus(); cpu++)
				if (drops[cpu].ways[way].claimed_ns == set.ways[way].claimed_ns)
					view.dropped += drops[cpu].ways[way].packets;
			if (view.dropped)
				found(context, &view);
		}
	}
	free(drops);
	return err;
}

static int read_sources(struct snapshot *s, const struct maps *maps)
{
	s->source_count = 0;
	return s->meta.source_limit ? each_source(maps, rank, s) : 0;
}

static void take_if_same(void *context, const struct source_view *view)
{
	struct source_view *wanted = context;

	if (!memcmp(&view->addr, &wanted->addr, sizeof(view->addr)))
		*wanted = *view;
}

int snapshot__limited(struct source_view *source, const struct maps *maps, const struct addr *addr)
{
	*source = (struct source_view){.addr = address__source(addr)};
	if (each_source(maps, take_if_same, source) == 0)
		return 0;
	log_error("cannot read the limited sources: %s", strerror(errno));
	return -1;
}

/* A `run` without [sync] has such maps too, of one entry, and a capacity of 0. */
static int read_lists(struct snapshot *s, const struct maps *maps)
{
	__u32 zero = 0;

	s->lists[LIST_SET_FLEET].capacity = 0;
	if (maps->fleet_control >= 0 && bpf_map_lookup_elem(maps->fleet_control, &zero, &s->lists[LIST_SET_FLEET]))
		return -1;
	return bpf_map_lookup_elem(maps->list_control, &zero, &s->lists[LIST_SET_OWN]);
}

int snapshot__read(struct snapshot *s, const struct maps *maps)
{
	__u32 zero = 0, last = CENSUS_LAST;

	s->taken_ns = clock__now();
	if (bpf_map_lookup_elem(maps->meta, &zero, &s->meta) ||
	    bpf_map_lookup_elem(maps->censuses, &last, &s->census) || read_tables(s, maps) || read_ports(s, maps) ||
	    read_sources(s, maps) || read_lists(s, maps)) {
		log_error("cannot read the BPF maps: %s", strerror(errno));
		return -1;
	}
	return 0;
}
