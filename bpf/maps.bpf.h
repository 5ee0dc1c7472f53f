/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, and the one configuration. Nothing here is pinned by name: `run` pins what others may open,
 * so that a tracker loaded by `states` has maps of its own.
 */
#ifndef SYNWARDEN_MAPS_H
#define SYNWARDEN_MAPS_H

#include <linux/bpf.h>

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "types.h"

/* Set by the loader before load; constant to the verifier, which removes the branches that it turns off. */
const volatile struct config cfg = {};

/* The packet path. */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_MAX);
	__type(key, __u32);
	__type(value, struct verdict_count);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LIST);
	__type(key, struct prefix);
	__type(value, struct list_entry);
} allowed SEC(".maps")
, blocked SEC(".maps");

/* By enum list: 1 once the list has had an entry. A look-up in an empty trie is a call all the same. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIST_MAX);
	__type(key, __u32);
	__type(value, __u32);
} lists_used SEC(".maps");

/* One entry a CPU, addressed by CPU number: a plain array's look-up is inlined on every kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to cfg.cpus before load */
	__type(key, __u32);
	__type(value, struct sketch);
} sketches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOURCE_SETS);
	__type(key, __u32);
	__type(value, struct source_set);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SOURCE_SETS);
	__type(key, __u32);
	__type(value, struct source_drops_set);
} source_drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, struct budget);
} budgets SEC(".maps");

/* By port. Filled before the program that reads it is attached, and never changed then: a reload brings its own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to 65536 before load where a port has a rule of its own */
	__type(key, __u32);
	__type(value, struct port_rule);
} port_rules SEC(".maps");

/* Until when any port is armed: what an ordinary segment asks first. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} armed SEC(".maps");

/* An array by hash rather than a hash table: one cache line to look at, and nothing to allocate or evict. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_VERIFIED);
	__type(key, __u32);
	__type(value, struct verified);
} verified SEC(".maps");

/* A byte of each slot's hash: what nearly every spoofed source fails on stays in the CPU's cache. */
struct verified_tags {
	__u8 tags[MAX_VERIFIED];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct verified_tags);
} verified_tags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cookie_policy);
} cookie_policy SEC(".maps");

struct known_marks {
	__u8 marks[KNOWN_MARKS]; /* one more than the epoch in which it was last set; 0: never */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct known_marks);
} known_marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct known);
} known SEC(".maps");

/* By the port's slot, one more than the index of its estimator; 0: none. Written by `run` alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} estimators SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* the user side clears one set while the others are counted into */
	__uint(max_entries, HLL_POOL);
	__type(key, __u32);
	__type(value, struct hll);
} distinct_srcs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} alerts SEC(".maps");

/* The headers of a SYN that is being challenged, where they can be read by index, and those of the reply. The IP header
 * ends where the TCP header begins. */
struct scratch {
	__u32 taken; /* 1: with PREEMPT_RT another packet of this CPU, which waits to run again, is in the middle of it
		      */
	__u8 ip[40];
	__u8 tcp[64];
	__u8 option_at[16]; /* by kind; 0: not there */
	__be32 reply_ip[10];
	__be32 reply_tcp[10];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Both paths: the packet path reads who listens, the tracker says so. */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* all of it is looked through once a second */
	__uint(max_entries, LISTENER_PORTS);
	__type(key, __u32);
	__type(value, struct listener);
} listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SERVED);
	__type(key, struct served);
	__type(value, __u32);
} served SEC(".maps");

/* How many slots of `ports` were given out. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} port_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, struct port_count);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

/* The tracker. */

/*
 * What is remembered of one socket, for as long as the kernel keeps the socket. What every transition asks comes first,
 * in 56 bytes: with the kernel's own word before them, that is one cache line.
 */
struct conn {
	__u64 since_ns;	  /* when `state` began; 0: before we looked */
	__u64 begun_ns;	  /* when the connection began, or was first looked at; 0: neither */
	__u64 pending_ns; /* when the transition into `state` happened, while its event waits for the addresses; 0: none
			     waits */
	__u8 state;
	__u8 pending_old;
	__u8 pending_at_least;
	__u8 role; /* this and the next two as in struct life */
	__u8 closer;
	__u8 existed;
	__u8 early;	    /* 1: closed here before its handshake was complete (TCP Fast Open) */
	__u8 counted;	    /* of a listener: 1: `drops` is what was counted */
	__u64 handshake_ns; /* as in struct life */
	__u64 pending_duration_ns;
	__u32 drops;	/* of a listener: how many of its sk_drops have been counted */
	__u32 older_ms; /* of what existed: so much older than begun_ns it is at least */
	struct owner owner;
	__u64 session; /* the run of own_sockets that last named the owner */
};

_Static_assert(__builtin_offsetof(struct conn, owner) == 56,
	       "the owner, whom only streams ask for, begins the second cache line");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

__u64 owners_session; /* the last run of own_sockets */

/* Processes that hold a listener; 1 once they ended. Least recently used first out: a pid that is not here may have
 * ended since, and names no owner. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} listen_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATE_MAX *STATE_MAX); /* from * STATE_MAX + to */
	__type(key, __u32);
	__type(value, __u64);
} transitions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATE_MAX);
	__type(key, __u32);
	__type(value, struct histogram);
} durations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ROLE_MAX);
	__type(key, __u32);
	__type(value, struct histogram);
} handshakes SEC(".maps");

/* How connections ended: enum ending, and ENDING_MAX more for those that never were established. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENDING_MAX * 2);
	__type(key, __u32);
	__type(value, __u64);
} endings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TALLY_MAX);
	__type(key, __u32);
	__type(value, __u64);
} tallies SEC(".maps");

/* See bpf/ring.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to cfg.rings before load where someone streams */
	__type(key, __u32);
	__type(value, struct ring);
} rings SEC(".maps");

/* Those of the first ring, those of the second, and so on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to cfg.rings * cfg.ring_slots before load where someone streams, */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, RING_SLOT_BYTES(life)); /* and to the length of what is streamed */
} ring_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CENSUS_MAX);
	__type(key, __u32);
	__type(value, struct census);
} censuses SEC(".maps");

/* Written by `run` alone, read by the other commands: what stands behind a verdict of "under attack", */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, struct attack);
} attacks SEC(".maps");

/* which sysctls are to be put back, */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYSCTL_MAX);
	__type(key, __u32);
	__type(value, struct saved_sysctl);
} sysctls SEC(".maps");

/* and who runs how. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct meta);
} meta SEC(".maps");

#endif
