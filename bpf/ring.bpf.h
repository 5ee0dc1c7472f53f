/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream's rings (struct ring): which one an event goes into, and when it is full. The kernel's own ring buffer
 * serves writers of any kind and number, under a lock and with interrupts off, which took a sixth of what a transition
 * costs. Nobody is woken: the reader polls.
 */
#ifndef SYNWARDEN_RING_H
#define SYNWARDEN_RING_H

#include "maps.bpf.h"

/* Programs that may each have seen that there is room, and not have taken it yet: on one CPU they interrupt each other.
 */
#define RING_AT_ONCE (4 * RING_SHARED)

/* A power of two: so many slots of any length are in a page of 4 KiB, at least. */
#define RING_PER_PAGE 16

/* The ring of this CPU. */
static __always_inline __u32 ring_own(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return cpu < cfg.rings ? cpu : cpu % cfg.rings;
}

static __always_inline struct ring_slot *ring_slot(__u32 ring, __u64 turn)
{
	__u32 key = ring * cfg.ring_slots + (turn & (cfg.ring_slots - 1));

	return bpf_map_lookup_elem(&ring_slots, &key);
}

/*
 * Says that the slot is whole. x86 shows stores to other CPUs in the order in which they were made; elsewhere it takes
 * an exchange, which waits for all of them: longer than the rest of this file takes.
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

/* Puts `size` bytes, which begin with a struct event, into the ring. -1: it is full. */
static __always_inline int ring_put(struct event *event, __u32 size)
{
	__u32 own = ring_own();
	struct ring *ring = bpf_map_lookup_elem(&rings, &own);
	struct ring_slot *slot;
	__u64 turn;

	if (!ring || ring->filled - ring->read > cfg.ring_slots - RING_AT_ONCE)
		return -1;
	turn = __sync_fetch_and_add(&ring->filled, 1);
	slot = ring_slot(own, turn);
	if (!slot)
		return -1;
	barrier_var(event); /* it stays in memory, rather than in registers, of which there are too few */
	__builtin_memcpy(&slot->event, event, size);
	ring_publish(slot, turn + 1);
	return 0;
}

static long ring_touch_page(__u32 page, __u32 *ring)
{
	struct ring_slot *slot = ring_slot(*ring, page * RING_PER_PAGE);

	if (slot)
		slot->turn = 0;
	return !slot;
}

/* Writes to each page of a ring, so that its memory is there before it is needed. */
static __always_inline int ring_touch(__u32 ring)
{
	return bpf_loop(cfg.ring_slots / RING_PER_PAGE, ring_touch_page, &ring, 0) < 0;
}

#endif
