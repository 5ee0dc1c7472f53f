/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream's rings (struct ring): which one an event goes into, and when it is full. The kernel's own ring buffer
 * takes a lock with interrupts off, a sixth of a transition's cost. The reader is not woken: it polls.
 */
#ifndef SYNWARDEN_RING_H
#define SYNWARDEN_RING_H

#include "maps.bpf.h"

/* Programs that may have found room at once and not taken it yet: on one CPU they interrupt each other. */
#define RING_AT_ONCE (4 * RING_SHARED)

/* Slots that a page of 4 KiB holds at least, whatever their length; a power of two. */
#define RING_PER_PAGE 8

/* The ring of this CPU. */
static __always_inline __u32 ring_own(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return cfg.rings && cpu >= cfg.rings ? cpu % cfg.rings : cpu;
}

static __always_inline struct ring_slot *ring_slot(__u32 ring, __u64 turn)
{
	__u32 key = ring * cfg.ring_slots + (turn & (cfg.ring_slots - 1));

	return bpf_map_lookup_elem(&ring_slots, &key);
}

/*
 * Marks the slot as complete. On x86, other CPUs see stores in program order. Elsewhere an exchange is needed, which
 * takes longer than the rest of this file.
 */
static __always_inline void ring_publish(struct ring_slot *slot, __u64 turn)
{
#ifdef __TARGET_ARCH_x86
	barrier();
	*(volatile __u64 *)&slot->turn = turn;
#else
	__sync_lock_test_and_set(&slot->turn, turn);
#endif
}

/* A slot to be filled in place, and then published as *turn. NULL: the ring is full. */
static __always_inline struct ring_slot *ring_take(__u64 *turn)
{
	__u32 own = ring_own();
	struct ring *ring = bpf_map_lookup_elem(&rings, &own);

	if (!ring || ring->filled - ring->read > cfg.ring_slots - RING_AT_ONCE)
		return 0;
	*turn = __sync_fetch_and_add(&ring->filled, 1) + 1;
	return ring_slot(own, *turn - 1);
}

/* Puts `size` bytes, which begin with a struct event, into the ring. -1: it is full. */
static __always_inline int ring_put(struct event *event, __u32 size)
{
	struct ring_slot *slot;
	__u64 turn;

	slot = ring_take(&turn);
	if (!slot)
		return -1;
	barrier_var(event); /* keeps it in memory: there are too few registers */
	__builtin_memcpy(&slot->event, event, size);
	ring_publish(slot, turn);
	return 0;
}

static long ring_touch_page(__u32 page, __u32 *ring)
{
	struct ring_slot *slot = ring_slot(*ring, page * RING_PER_PAGE);

	if (slot)
		slot->turn = 0;
	return !slot;
}

/* Writes to each page of a ring, so that its memory is mapped before it is needed. */
static __always_inline int ring_touch(__u32 ring)
{
	return bpf_loop(cfg.ring_slots / RING_PER_PAGE, ring_touch_page, &ring, 0) < 0;
}

#endif
