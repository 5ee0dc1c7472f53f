/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has ended a moment ago: connections, and listeners. What was under way to them belongs to no socket, and is no
 * flood. The tracker alone writes here, so that no unverified source does.
 */
#ifndef SYNWARDEN_ENDED_H
#define SYNWARDEN_ENDED_H

#include "maps.bpf.h"
#include "source.bpf.h"

/* By port; entry 0 holds for ports without a rule of their own. Not frozen: the tracker reads it too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* `run` writes it */
	__uint(max_entries, LISTENER_PORTS);
	__type(key, __u32);
	__type(value, struct port_strays);
} strays SEC(".maps");

struct ended_marks {
	struct ended_mark marks[ENDED_MARKS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ended_marks);
} ended_marks SEC(".maps");

/* `hash`: of the connection's source. */
static __always_inline __u64 ended_hash(__u64 hash, __u16 rport, __u16 lport)
{
	__u64 mix = (hash ^ ((__u64)rport << 16 | lport)) * 0xd6e8feb86659fd93ULL;

	return mix ^ mix >> 32;
}

static __always_inline struct ended_mark *ended_at(__u64 hash)
{
	__u32 key = 0, at = hash >> 16;
	struct ended_marks *all = bpf_map_lookup_elem(&ended_marks, &key);

	barrier_var(at); /* as in known_mark_at() */
	return all ? &all->marks[at & (ENDED_MARKS - 1)] : 0;
}

/* `hash`: of the connection's source; `now`: CLOCK_MONOTONIC. */
static __always_inline void ended_note_conn(__u64 hash, __u16 rport, __u16 lport, __u64 now)
{
	__u64 own = ended_hash(hash, rport, lport);
	struct ended_mark *mark = ended_at(own);

	if (mark)
		*mark = (struct ended_mark){.tag = own, .time = now >> ENDED_SHIFT};
}

static __always_inline int ended_has_conn(__u64 hash, __u16 rport, __u16 lport, __u64 now)
{
	__u64 own = ended_hash(hash, rport, lport);
	const struct ended_mark *mark = ended_at(own);

	return mark && mark->tag == (__u16)own && (__u16)((now >> ENDED_SHIFT) + CLOCKS_MS - mark->time) < ENDED_UNITS;
}

static __always_inline struct port_strays *ended_port(__u16 port)
{
	__u32 key = port;

	return bpf_map_lookup_elem(&strays, &key);
}

static __always_inline void ended_note_listener(__u16 port, __u64 now)
{
	struct port_strays *own = ended_port(port);
	__u32 ms = now / 1000000;

	if (own)
		own->ended_ms = ms ? ms : 1;
}

/* Whether a listener of the port ended so lately that its clients may still send. */
static __always_inline int ended_has_listener(const struct port_strays *own, __u64 now)
{
	return own->ended_ms && (__u32)(now / 1000000) + CLOCKS_MS - own->ended_ms < STRAYS_RESTART_MS;
}

/* Whether strays may be of clients whose server it was a moment ago: the port's listener, this host before it started,
 * or another one that had the address. */
static __always_inline int ended_has_server(const struct port_strays *own, __u64 now)
{
	const struct port_strays *host = ended_port(0);

	return ended_has_listener(own, now) || (host && ended_has_listener(host, now));
}

/* A socket of the port is bound to a device. */
static __always_inline void ended_note_bound(__u16 port)
{
	struct port_strays *own = ended_port(port);

	if (own && !own->bound)
		own->bound = 1;
}

#endif
