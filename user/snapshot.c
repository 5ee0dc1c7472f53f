// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps -> plain structs. Per-CPU maps are read whole, one system call an entry, and summed here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "clock.h"
#include "log.h"
#include "print.h"
#include "snapshot.h"

#define LISTENERS_BYTES (LISTENER_PORTS * sizeof(struct listener))

static int cpus(void)
{
	static int n;

	if (!n)
		n = libbpf_num_possible_cpus();
	return n;
}

/* Adds up entry `key` of a per-CPU map whose values are `words` 64-bit counters. */
static int sum(int fd, __u32 key, uint64_t *total, size_t words)
{
	uint64_t *values = calloc(cpus(), words * sizeof(*values));
	size_t word;
	int cpu, err;

	memset(total, 0, words * sizeof(*total));
	if (!values)
		return -1;
	err = bpf_map_lookup_elem(fd, &key, values);
	for (cpu = 0; !err && cpu < cpus(); cpu++)
		for (word = 0; word < words; word++)
			total[word] += values[cpu * words + word];
	free(values);
	return err;
}

#define SUM(fd, key, to) sum(fd, key, (uint64_t *)(to), sizeof(*(to)) / sizeof(uint64_t))

int snapshot__transitions(uint64_t transitions[STATE_MAX][STATE_MAX], const struct maps *maps)
{
	int err = 0;

	for (__u32 i = 0; i < STATE_MAX * STATE_MAX; i++)
		err |= SUM(maps->transitions, i, &transitions[i / STATE_MAX][i % STATE_MAX]);
	return err;
}

static int read_tables(struct snapshot *s, const struct maps *maps)
{
	__u32 i;
	int err = 0;

	for (i = 0; i < REASON_MAX; i++)
		err |= SUM(maps->verdicts, i, &s->verdicts[i]);
	for (i = 0; i < LOSS_MAX; i++)
		err |= SUM(maps->losses, i, &s->losses[i]);
	for (i = 0; i < TALLY_MAX; i++)
		err |= SUM(maps->tallies, i, &s->tallies[i]);
	for (i = 0; i < ROLE_MAX; i++)
		err |= SUM(maps->handshakes, i, &s->handshakes[i]);
	for (i = 0; i < ENDING_MAX * 2; i++)
		err |= SUM(maps->endings, i, &s->endings[i / ENDING_MAX][i % ENDING_MAX]);
	s->losses[LOSS_CENSUS] = s->census.unseen;
	for (i = 0; i < STATE_MAX; i++)
		err |= SUM(maps->durations, i, &s->durations[i]);
	return err | snapshot__transitions(s->transitions, maps);
}

static int read_port(struct port_view *view, __u32 slot, const struct snapshot *s, const struct maps *maps)
{
	const struct port_census *census = &s->census.ports[slot];
	struct port_count counted;
	struct budget budget;
	size_t i;

	if (SUM(maps->ports, slot, &counted) || bpf_map_lookup_elem(maps->budgets, &slot, &budget) ||
	    bpf_map_lookup_elem(maps->attacks, &slot, &view->attack))
		return -1;
	view->slot = slot;
	view->armed = budget.armed_until_ns > s->taken_ns;
	if (!view->armed) /* as nobody takes the evidence back where the run is gone */
		view->attack = (struct attack){};
	for (i = 0; i < VERDICT_MAX; i++)
		view->syns += counted.syns[i];
	view->passed = counted.syns[VERDICT_PASS];
	view->dropped = counted.syns[VERDICT_DROP];
	view->challenged = counted.syns[VERDICT_TX];
	view->answered = counted.answered;
	view->completed = counted.completed;
	view->aborted = counted.aborted;
	view->listen_drops = counted.listen_drops;
	view->synack_retransmits = counted.synack_retransmits;
	view->half_open = census->half_open;
	view->accept_queue = census->accept_queue;
	view->accept_limit = census->accept_limit;
	view->accept_full = census->accept_full;
	return 0;
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

/* Where no port has a rule of its own, the map has no room for any. */
static void read_rule(struct port_view *view, const struct snapshot *s, const struct maps *maps)
{
	struct port_rule rule = {};
	__u32 port = view->port;

	if (bpf_map_lookup_elem(maps->port_rules, &port, &rule))
		rule.own = 0;
	view->own_rule = rule.own;
	view->budget = rule.own ? rule.budget : s->meta.port_budget;
	view->challenge = rule.own ? rule.challenge : s->meta.challenge;
}

/* Those that have a slot for their counters, in order of the port. */
static int read_ports(struct snapshot *s, const struct maps *maps)
{
	struct listener *listeners = snapshot__map_listeners(maps);
	int err = listeners ? 0 : -1;
	__u32 port;

	s->ports[0] = (struct port_view){}; /* "other" */
	s->port_count = 1;
	err |= read_port(&s->ports[0], 0, s, maps);
	for (port = 0; !err && port < LISTENER_PORTS && s->port_count < MAX_PORTS; port++) {
		struct port_view *view = &s->ports[s->port_count];
		struct listener listener = listeners[port];

		if (!listener.slot || listener.slot >= MAX_PORTS)
			continue;
		*view = (struct port_view){.port = port, .listening = listener.listening};
		err |= read_port(view, listener.slot, s, maps);
		read_rule(view, s, maps);
		s->port_count++;
	}
	if (listeners)
		snapshot__unmap_listeners(listeners);
	return err;
}

/* Keeps the SNAPSHOT_SOURCES largest, in order. */
static void rank(struct snapshot *s, const struct source_view *view)
{
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

static int read_sources(struct snapshot *s, const struct maps *maps)
{
	struct source_drops_set *drops = calloc(cpus(), sizeof(*drops));
	struct source_set set;
	__u32 key, way;
	int cpu, err = drops ? 0 : -1;

	s->source_count = 0;
	for (key = 0; !err && s->meta.source_limit && key < SOURCE_SETS; key++) {
		bool used = false;

		err = bpf_map_lookup_elem(maps->sources, &key, &set);
		for (way = 0; way < SOURCE_WAYS; way++)
			used |= set.ways[way].claimed_ns != 0;
		if (err || !used)
			continue;
		err = bpf_map_lookup_elem(maps->source_drops, &key, drops);
		for (way = 0; way < SOURCE_WAYS; way++) {
			struct source_view view = {.addr = set.ways[way].addr};

			for (cpu = 0; cpu < cpus(); cpu++)
				if (drops[cpu].ways[way].claimed_ns == set.ways[way].claimed_ns)
					view.dropped += drops[cpu].ways[way].packets;
			if (view.dropped)
				rank(s, &view);
		}
	}
	free(drops);
	return err;
}

int snapshot__read(struct snapshot *s, const struct maps *maps)
{
	__u32 zero = 0, last = CENSUS_LAST;

	s->taken_ns = clock__now();
	if (bpf_map_lookup_elem(maps->meta, &zero, &s->meta) ||
	    bpf_map_lookup_elem(maps->censuses, &last, &s->census) || read_tables(s, maps) || read_ports(s, maps) ||
	    read_sources(s, maps)) {
		log_error("cannot read the BPF maps: %s", strerror(errno));
		return -1;
	}
	return 0;
}

uint64_t snapshot__packets(const struct snapshot *s, enum verdict verdict)
{
	uint64_t packets = 0;
	size_t i;

	for (i = 0; i < REASON_MAX; i++)
		if (print_reason_verdict(i) == verdict)
			packets += s->verdicts[i].packets;
	return packets;
}

uint64_t snapshot__syns(const struct snapshot *s)
{
	uint64_t syns = 0;
	size_t i;

	for (i = 0; i < s->port_count; i++)
		syns += s->ports[i].syns;
	return syns;
}

uint64_t snapshot__entered(const struct snapshot *s, unsigned state)
{
	uint64_t n = 0;

	for (unsigned from = 0; from < STATE_MAX; from++)
		n += s->transitions[from][state];
	return n;
}

uint64_t snapshot__left(const struct snapshot *s, unsigned state)
{
	uint64_t n = 0;

	for (unsigned to = 0; to < STATE_MAX; to++)
		n += s->transitions[state][to];
	return n;
}

int snapshot__completed(const struct port_view *port)
{
	uint64_t answered = port->answered < port->challenged ? port->answered : port->challenged;
	uint64_t begun = port->passed + answered;

	if (!begun)
		return -1;
	return port->completed < begun ? port->completed * 1000 / begun : 1000;
}

uint64_t histogram__count(const struct histogram *histogram)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_SLOTS; i++)
		count += histogram->slots[i];
	return count;
}

uint64_t histogram__quantile(const struct histogram *histogram, double q)
{
	uint64_t count = histogram__count(histogram), below = 0;
	size_t i;

	if (!count)
		return DURATION_UNKNOWN;
	for (i = 0; i < HIST_SLOTS - 1; i++) {
		below += histogram->slots[i];
		if (below >= q * count)
			break;
	}
	return (2ULL << i) * 1000;
}
