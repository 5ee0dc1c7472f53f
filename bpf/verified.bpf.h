/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources that have answered a challenge: for a while, and up to a rate of each and one of all together, their SYNs are
 * not challenged.
 */
#ifndef SYNWARDEN_VERIFIED_H
#define SYNWARDEN_VERIFIED_H

#include "syn.bpf.h"

static __always_inline struct verified *verified_slot(__u64 hash)
{
	__u32 slot = hash & (MAX_VERIFIED - 1);

	return bpf_map_lookup_elem(&verified, &slot);
}

/* The tag of the source's slot; 0: the slot is free. */
static __always_inline __u8 *verified_tag_at(__u64 hash)
{
	__u32 key = 0;
	struct verified_tags *all = bpf_map_lookup_elem(&verified_tags, &key);

	return all ? &all->tags[hash & (MAX_VERIFIED - 1)] : 0;
}

static __always_inline __u8 verified_tag(__u64 hash)
{
	return hash >> 56 | 1;
}

static __always_inline int verified_is(const struct verified *v, const struct addr *source)
{
	return v->source.halves[1] == source->halves[1] && v->source.halves[0] == source->halves[0];
}

/* The source's slot, if the source is verified until `until_ns` or longer. */
static __always_inline struct verified *verified_find(const struct addr *source, __u64 hash, __u64 until_ns)
{
	const __u8 *tag = verified_tag_at(hash);
	struct verified *v;

	if (!tag || *tag != verified_tag(hash))
		return 0;
	v = verified_slot(hash);
	return v && verified_is(v, source) && v->until_ns >= until_ns ? v : 0;
}

/*
 * Whether the source answered a challenge a moment ago. XDP sees packets before the kernel does, and often several at
 * once: what follows an answer arrives here before the answer has made a socket.
 */
static __always_inline int verified_is_fresh(const struct addr *source, __u64 hash, __u64 now)
{
	return !!verified_find(source, hash, now + VERIFIED_NS - VERIFIED_FRESH_NS);
}

static __always_inline __u64 verified_next_tat(const struct verified *v, __u64 now)
{
	return (v->tat_ns > now ? v->tat_ns : now) + VERIFIED_INTERVAL_NS;
}

/* GCRA for a source that has answered a challenge; a SYN beyond it is challenged again. NULL: it is, or never answered.
 */
static __always_inline struct verified *verified_within(const struct syn *s)
{
	struct verified *v = verified_find(s->source, s->hash, s->now);

	if (!v)
		return 0;
	if (s->mode->explains) {
		s->mode->answer->verified = 1;
		s->mode->answer->until_ns = v->until_ns;
	}
	return verified_next_tat(v, s->now) > s->now + VERIFIED_BURST_NS ? 0 : v;
}

/* The SYN passes. A lost race admits one more. */
static __always_inline void verified_pass(struct verified *v, __u64 now)
{
	v->tat_ns = verified_next_tat(v, now);
	v->passed++;
}

/*
 * Called for a completed handshake alone, with the cookie that came back. A source that answers again does not get its
 * used rate back. Returns 1 if this is the first answer with its cookie (data may follow before the kernel has made the
 * socket, and answers may be replayed) and the filter sent the cookie: while a port is armed, the kernel sends one
 * itself for each SYN that passes.
 */
static __always_inline int verified_note(const struct addr *source, __u64 hash, __be32 ack, __u64 now)
{
	struct verified *v = verified_slot(hash);
	__u8 *tag = verified_tag_at(hash);
	int same, first;

	if (!v || !tag)
		return 0;
	same = verified_is(v, source);
	first = !same || v->ack != ack;
	if (!same)
		v->tat_ns = 0;
	if (!same || v->tat_ns + VERIFIED_ANSWER_NS < now)
		v->passed = 0;
	v->source = *source;
	v->until_ns = now + VERIFIED_NS;
	v->ack = ack;
	*tag = verified_tag(hash);
	if (!first || !v->passed)
		return first;
	v->passed--;
	return 0;
}

#endif
