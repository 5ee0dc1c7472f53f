/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources that may have a connection here, whatever its state. To look for a connection costs a challenge a third of
 * its time, as the kernel's table is larger than the CPU's cache and a spoofed source stands anywhere in it. So a
 * source has a mark, a byte by its hash: of the epoch in which the tracker, the census or a SYN that passed last set
 * it. A census that has seen all sockets begins the next epoch; what it has marked holds until the end of that one, by
 * when the next census has marked it again. A source without such a mark has no connection. Two that share a mark only
 * cost the time.
 */
#ifndef SYNWARDEN_KNOWN_H
#define SYNWARDEN_KNOWN_H

#include "maps.bpf.h"
#include "source.bpf.h"

static __always_inline struct known *known_epochs(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&known, &key);
}

static __always_inline __u8 *known_mark_at(__u64 hash)
{
	__u32 key = 0, slot = hash >> 20;
	struct known_marks *all = bpf_map_lookup_elem(&known_marks, &key);

	barrier_var(slot); /* else parts of the hash are masked one by one, and Linux 6.1 knows no bound of their XOR */
	return all ? &all->marks[slot & (KNOWN_MARKS - 1)] : 0;
}

static __always_inline void known_note(__u64 hash)
{
	const struct known *epochs = known_epochs();
	__u8 *mark = known_mark_at(hash), now;

	if (!epochs || !mark)
		return;
	now = epochs->epoch + 1;
	if (*mark != now)
		*mark = now;
}

static __always_inline void known_note_addr(const struct addr *addr)
{
	struct addr source;

	source_key(&source, addr);
	known_note(source_hash(&source));
}

/* Of a SYN that passes: it leaves a half-open connection, unless the kernel answers all with cookies. */
static __always_inline void known_note_syn(__u64 hash)
{
	__u32 key = 0;
	const struct cookie_policy *policy = bpf_map_lookup_elem(&cookie_policy, &key);

	if (!policy || !policy->always)
		known_note(hash);
}

/* Whether the source is sure to have no connection, not even a half-open one. `now`: CLOCK_MONOTONIC. */
static __always_inline int known_is_stranger(__u64 hash, __u64 now)
{
	__u32 key = 0;
	const struct cookie_policy *policy = bpf_map_lookup_elem(&cookie_policy, &key);
	const struct known *epochs = known_epochs();
	const __u8 *mark = known_mark_at(hash);

	if (!policy || !policy->always || !epochs || epochs->until_ns < now || !mark)
		return 0;
	return *mark != (__u8)(epochs->epoch + 1) && *mark != (__u8)(epochs->former + 1);
}

#endif
