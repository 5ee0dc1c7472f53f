// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot that is taken back rests for a second: the filter may still be counting into it. Its counters are cleared when
 * it is given to another port, whose they then are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config/values.h"
#include "kernel/snapshot.h"
#include "run/port_slots.h"
#include "system/clock.h"
#include "text/log.h"

#define KEPT_NS	  (3600 * NS_PER_S)		/* of a port without a listener, while no other waits */
#define LEAST_NS  (10 * NS_PER_S)		/* and where one waits: a restart takes less */
#define LAST_OPEN (MAX_PORTS - 1 - NAMED_SLOTS) /* the rest are for named ports alone */

struct port_slots {
	const struct maps *maps;
	bool named[LISTENER_PORTS];
	__u32 owner[MAX_PORTS];	     /* port, as last seen; 0: none */
	uint64_t gone_ns[MAX_PORTS]; /* since when its port has had no listener; without a port, since when it rests */
	int given;		     /* by the last look */
	bool told_full;
};

struct port_slots *port_slots__open(const struct maps *maps)
{
	struct port_slots *slots = calloc(1, sizeof(*slots));

	if (!slots)
		log_error("run: out of memory");
	else
		slots->maps = maps;
	return slots;
}

/* Changes one listener's slot, unless the kernel side has changed the entry meanwhile. */
static bool set_slot(struct listener *listener, struct listener was, __u16 slot)
{
	struct listener now = was;

	now.slot = slot;
	return __sync_bool_compare_and_swap(&listener->word, was.word, now.word);
}

/* 0, or -1. `size` is that of the value of one CPU. */
static int clear_counts(int map, __u32 key, size_t size)
{
	void *counts = calloc(libbpf_num_possible_cpus(), size);
	int err = counts ? bpf_map_update_elem(map, &key, counts, BPF_ANY) : -1;

	free(counts);
	return err;
}

/* Where no HTTP is counted, its map has no entry of the slot. */
static int clear(const struct maps *maps, __u32 slot)
{
	clear_counts(maps->http_counts, HTTP_COUNT_PORTS + slot, sizeof(struct http_count));
	if (clear_counts(maps->ports, slot, sizeof(struct port_count)))
		return -1;
	return bpf_map_update_elem(maps->port_tats, &slot, &(struct port_gcra){}, BPF_ANY);
}

/* Which port has which slot, and since when none listens there. */
static void look(struct port_slots *slots, const struct listener *listeners, uint64_t now)
{
	static __u32 owner[MAX_PORTS];

	memset(owner, 0, sizeof(owner));
	for (__u32 port = 1; port < LISTENER_PORTS; port++)
		if (listeners[port].slot && listeners[port].slot < MAX_PORTS)
			owner[listeners[port].slot] = port;
	for (__u32 slot = 1; slot < MAX_PORTS; slot++) {
		bool listens = owner[slot] && (listeners[owner[slot]].listening || slots->named[owner[slot]]);

		if (listens)
			slots->gone_ns[slot] = 0;
		else if (!slots->gone_ns[slot] || owner[slot] != slots->owner[slot])
			slots->gone_ns[slot] = now;
		slots->owner[slot] = owner[slot];
	}
}

/* The slot of the port that has been without a listener longest, for `least_ns` at least; 0: there is none. */
static __u32 longest_gone(const struct port_slots *slots, uint64_t least_ns, uint64_t now)
{
	__u32 found = 0;

	for (__u32 slot = 1; slot < MAX_PORTS; slot++)
		if (slots->owner[slot] && slots->gone_ns[slot] && now - slots->gone_ns[slot] >= least_ns &&
		    (!found || slots->gone_ns[slot] < slots->gone_ns[found]))
			found = slot;
	return found;
}

static bool take_back(struct port_slots *slots, struct listener *listeners, __u32 slot, struct attacks *attacks,
		      uint64_t now)
{
	struct listener *listener = &listeners[slots->owner[slot]], was = *listener;

	if (was.listening || was.slot != slot || !set_slot(listener, was, 0))
		return false;
	if (attacks)
		attack__forget(attacks, slot);
	slots->owner[slot] = 0;
	slots->gone_ns[slot] = now;
	return true;
}

/* A slot that rests, of those that were given out before, or of those for named ports; 0: there is none. */
static __u32 resting(const struct port_slots *slots, bool named, __u32 used, uint64_t now)
{
	for (__u32 slot = 1; slot < MAX_PORTS; slot++) {
		bool reserved = slot > LAST_OPEN;

		if (!slots->owner[slot] && (reserved ? named : slot <= used) &&
		    (reserved || now - slots->gone_ns[slot] >= NS_PER_S / 2))
			return slot;
	}
	return 0;
}

/* 1: the port has a slot now; 0: there is none; -1: error. */
static int give(struct port_slots *slots, struct listener *listeners, __u32 port, __u32 used, uint64_t now)
{
	struct listener was = listeners[port];
	__u32 slot = resting(slots, slots->named[port], used, now);

	if (was.slot)
		return 1;
	if (!slot)
		return 0;
	if (clear(slots->maps, slot))
		return -1;
	if (set_slot(&listeners[port], was, slot)) {
		slots->owner[slot] = port;
		slots->gone_ns[slot] = 0;
		slots->given++;
	}
	return 1;
}

/* Gives slots to the ports that have none: the named ones first. Returns how many wait on; -1: error. */
static int give_all(struct port_slots *slots, struct listener *listeners, bool named, uint64_t now)
{
	__u32 used = 0, first = 0;
	int waiting = 0, given;

	if (bpf_map_lookup_elem(slots->maps->port_slots, &first, &used))
		return -1;
	for (__u32 port = 1; port < LISTENER_PORTS; port++) {
		if (listeners[port].slot || !listeners[port].listening || slots->named[port] != named)
			continue;
		given = give(slots, listeners, port, used, now);
		if (given < 0)
			return -1;
		waiting += !given;
	}
	return waiting;
}

static int follow(struct port_slots *slots, struct listener *listeners, struct attacks *attacks)
{
	uint64_t now = clock__now();
	int named, others;
	__u32 slot;

	slots->given = 0;
	look(slots, listeners, now);
	named = give_all(slots, listeners, true, now);
	others = give_all(slots, listeners, false, now);
	if (named < 0 || others < 0)
		return -1;
	for (int left = named + others; (slot = longest_gone(slots, left > 0 ? LEAST_NS : KEPT_NS, now)); left--)
		if (!take_back(slots, listeners, slot, attacks, now))
			break;
	if (others + named && !slots->told_full && !longest_gone(slots, 0, now))
		log_warn("more ports listen than there are counters for: %d count as \"other\" and have no budget; "
			 "ports "
			 "of --protect and [port N] have places of their own",
			 others + named);
	slots->told_full |= others + named && !longest_gone(slots, 0, now);
	return slots->given;
}

int port_slots__follow(struct port_slots *slots, struct attacks *attacks)
{
	struct listener *listeners = snapshot__map_listeners(slots->maps);
	int ret = listeners ? follow(slots, listeners, attacks) : -1;

	if (ret < 0)
		log_error("cannot give counters to ports: %s", strerror(errno));
	if (listeners)
		snapshot__unmap_listeners(listeners);
	return ret;
}

static int name(void *context, const struct served *served)
{
	struct port_slots *slots = context;

	slots->named[served->port & 0xffff] = true;
	return 0;
}

void port_slots__name(struct port_slots *slots, const struct run_options *options)
{
	const char *why;

	memset(slots->named, 0, sizeof(slots->named));
	for (size_t i = 0; i < options->port_count; i++)
		slots->named[options->ports[i].port] = true;
	if (options->protect)
		parse_served_list(options->protect, name, slots, &why);
}

void port_slots__close(struct port_slots *slots)
{
	free(slots);
}
