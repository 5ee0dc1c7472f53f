/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources that may have a connection here, whatever its state. To look one up takes a quarter of a challenge's time, as
 * the kernel's table is larger than the CPU's cache and a spoofed source may stand anywhere in it. So each source that
 * may have one has a mark, a byte by its hash: the epoch in which the tracker, the census or a SYN that passed last set
 * it. A census that has seen all sockets begins the next epoch. Its marks hold through that one, by the end of which
 * the next census has set them again; one epoch more makes up for a socket that a census missed. A source without a
 * mark has no connection, and none is looked up. Two sources that share a mark cost the time, but nothing else.
 */
#ifndef SYNWARDEN_KNOWN_H
#define SYNWARDEN_KNOWN_H

#include "maps.bpf.h"
#include "source.bpf.h"

#define KNOWN_AGE 3 /* epochs; the oldest mark that holds was set two epochs ago */

static __always_inline struct known *known_state(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&known, &key);
}

static __always_inline __u8 *known_mark_at(__u64 hash)
{
	__u32 key = 0, slot = hash >> 20;
	struct known_marks *all = bpf_map_lookup_elem(&known_marks, &key);

	barrier_var(slot); /* else the compiler masks parts of the hash, and Linux 6.1 knows no bound of their XOR */
	return all ? &all->marks[slot & (KNOWN_MARKS - 1)] : 0;
}

static __always_inline void known_note(__u64 hash)
{
	const struct known *known = known_state();
	__u8 *mark = known_mark_at(hash), set;

	if (!known || !mark)
		return;
	set = known->epoch + 1;
	if (*mark != set)
		*mark = set;
}

static __always_inline void known_note_addr(const struct addr *addr)
{
	struct addr source;

	known_note(source_of(&source, addr));
}

/* Whether the kernel answers each SYN with a cookie, except one that replaces a TIME_WAIT. */
static __always_inline int known_all_get_cookies(void)
{
	__u32 key = 0;
	const struct cookie_policy *policy = bpf_map_lookup_elem(&cookie_policy, &key);

	return policy && policy->always;
}

/* Whether the source has no connection, not even a half-open one. `now`: CLOCK_MONOTONIC. */
static __always_inline int known_has_no_conn(__u64 hash, __u64 now)
{
	const struct known *known = known_state();
	const __u8 *mark = known_mark_at(hash);
	__u8 set, age;

	if (!known || !mark || known->until_ns < now || !known_all_get_cookies())
		return 0;
	set = *mark;
	age = known->epoch + 2 - set; /* 0: the mark is of an epoch that began after `known` was read */
	return !set || age > KNOWN_AGE;
}

#endif
