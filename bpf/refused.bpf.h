/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Closed ports: addresses and ports of this host that the kernel has itself refused a moment ago
 * (tp_btf/tcp_send_reset). An address that found no place in struct local has no marks. The tracker alone writes here.
 */
#ifndef SYNWARDEN_REFUSED_H
#define SYNWARDEN_REFUSED_H

#include "local.bpf.h"
#include "maps.bpf.h"

struct refused_marks {
	struct refused_mark marks[REFUSED_MARKS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct refused_marks);
} refused_marks SEC(".maps");

enum refused {
	REFUSED_NOT,
	REFUSED_SEGMENT, /* a segment was, which no rule of NAT need have seen */
	REFUSED_SYN,
};

/* The place of the port of the address that has the place `place`: each port has one of its own there. */
static __always_inline struct refused_mark *refused_at(__u32 place, __u16 port)
{
	__u32 key = 0, at = port + place * 40503; /* odd: addresses spread over all marks */
	struct refused_marks *all = bpf_map_lookup_elem(&refused_marks, &key);

	barrier_var(at); /* as in known_mark_at() */
	return all ? &all->marks[at & (REFUSED_MARKS - 1)] : 0;
}

/* Without the lowest bit. */
static __always_inline __u16 refused_epoch(const struct local *local)
{
	return local->epoch << 1;
}

/* What the mark says of the address that has the place now. */
static __always_inline enum refused refused_says(struct refused_mark mark, const struct local *local, __u32 place,
						 __u64 now)
{
	__u32 age = (__u32)(now / 1000000) + CLOCKS_MS - mark.time_ms;

	if (mark.place != place || (mark.epoch & 0xfffe) != refused_epoch(local) || age >= REFUSED_MS)
		return REFUSED_NOT;
	return mark.epoch & 1 ? REFUSED_SYN : REFUSED_SEGMENT;
}

/* `now`: CLOCK_MONOTONIC, coarse or not. */
static __always_inline enum refused refused_find(const struct local *local, const struct addr *addr, __u16 port,
						 __u64 now)
{
	__u32 place = local_place(local, addr);
	const struct refused_mark *at = place ? refused_at(place, port) : 0;

	return at ? refused_says((struct refused_mark){.word = at->word}, local, place, now) : REFUSED_NOT;
}

/* The kernel has answered a segment with a RST, or a SYN. What a segment shows does not replace what a SYN has shown.
 */
static __always_inline void refused_note(const struct addr *addr, __u16 port, int is_syn, __u64 now)
{
	const struct local *local = local_state();
	__u32 place = local ? local_place(local, addr) : 0;
	struct refused_mark *at = place ? refused_at(place, port) : 0, mark = {};

	if (!at || (!is_syn && refused_says((struct refused_mark){.word = at->word}, local, place, now) == REFUSED_SYN))
		return;
	mark.time_ms = now / 1000000;
	mark.place = place;
	mark.epoch = refused_epoch(local) | !!is_syn;
	at->word = mark.word;
}

#endif
