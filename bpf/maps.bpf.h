/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, without those of one file alone (lists.bpf.h, local.bpf.h, scratch.bpf.h), and the frozen configuration.
 * Nothing is pinned by name: `run` pins what other commands open, and a tracker that `states` loads has maps of its
 * own.
 */
#ifndef SYNWARDEN_MAPS_H
#define SYNWARDEN_MAPS_H

#include <linux/bpf.h>

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "http.h"
#include "types.h"

/* Set before load; constant to the verifier, which removes the branches that it disables. */
const volatile struct config cfg = {};

/* The packet path. */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_MAX);
	__type(key, __u32);
	__type(value, struct verdict_count);
} verdicts SEC(".maps");

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
	__type(value, struct port_gcra);
} port_tats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYN_SAMPLES);
	__type(key, __u32);
	__type(value, struct syn_sample);
} samples SEC(".maps");

/* By port. Frozen before the program that reads it is attached, as config is: a reload brings its own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1); /* set to 65536 before load where a port has a rule of its own */
	__type(key, __u32);
	__type(value, struct port_rule);
} port_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct armed);
} armed SEC(".maps");

/* An array by hash rather than a hash table: one cache line to read, and nothing to allocate or evict. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_VERIFIED);
	__type(key, __u32);
	__type(value, struct verified);
} verified SEC(".maps");

/* A byte of each slot's hash. Nearly every spoofed source fails on it, and it stays in the CPU's cache. */
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

/* Both paths: the tracker and the census write listeners and served addresses, the packet path reads them. */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* `run` reads all of it once a second */
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

/* What --protect names: it needs no proof, and its place is its own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PROTECTED);
	__type(key, struct served);
	__type(value, __u32);
} protected SEC(".maps");

/* Slots of `ports` in use, without slot 0. */
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
 * The record of one socket, which the kernel frees with the socket. The fields that every transition needs come first,
 * in 56 bytes: with the kernel's own 8 bytes before them, one cache line.
 */
struct conn {
	__u64 since_ns;	  /* when `state` began; 0: before the tracker saw the socket */
	__u64 begun_ns;	  /* when the connection began, or was first seen; 0: neither */
	__u64 pending_ns; /* when the transition into `state` happened, while its event is held back; 0: none is */
	__u8 state;
	__u8 pending_old;
	__u8 pending_at_least;
	__u8 role; /* this and the next two as in struct life */
	__u8 closer;
	__u8 existed;
	__u8 early : 1; /* closed here before its handshake was complete (TCP Fast Open) */
	__u8 fin_in_syn : 1;
	__u8 reset_sent : 1; /* in FIN_WAIT2 */
	__u8 counted;	     /* of a listener: 1: `drops` is what was counted */
	__u64 handshake_ns;  /* as in struct life */
	__u64 pending_duration_ns;
	__u32 drops;	/* of a listener: how many of its sk_drops have been counted */
	__u32 older_ms; /* of a connection that existed: how much older than begun_ns it is, a lower bound */
	struct owner owner;
	__u32 error;   /* errno of the last ICMP error in SYN_SENT; 0: none */
	__u64 session; /* the run of own_sockets that last named the owner */
};

_Static_assert(__builtin_offsetof(struct conn, owner) == 56,
	       "the owner, which only streams need, begins the second cache line");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

/* cfg.generation of the tracker that counts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} generation SEC(".maps");

__u64 owners_session; /* the last run of own_sockets */

/* Processes that hold a listener; 1 once they ended. One that is not here may have ended: it names no owner. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} listen_pids SEC(".maps");

/* By the connection's addresses. Only established connections have entries, so that no attacker makes any. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_CLOSING);
	__type(key, struct flow);
	__type(value, struct closing);
} closings SEC(".maps");

/* How many entries `closings` has. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} closing_count SEC(".maps");

/* Owners of the TCP sockets behind MPTCP's, by the kernel's address of the former: the file has the latter. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct owner);
} mptcp_owners SEC(".maps");

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

/* How connections ended: enum ending, and ENDING_MAX more for those that were never established. */
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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to HTTP_COUNT_PORTS + MAX_PORTS before load where HTTP is counted */
	__type(key, __u32);
	__type(value, struct http_count);
} http_counts SEC(".maps");

/* See bpf/ring.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to cfg.rings before load if there is a stream */
	__type(key, __u32);
	__type(value, struct ring);
} rings SEC(".maps");

/* Slots of the first ring, then of the second, and so on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to cfg.rings * cfg.ring_slots before load if there is a stream, */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, RING_SLOT_BYTES(life)); /* and to the length of what is streamed */
} ring_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CENSUS_MAX);
	__type(key, __u32);
	__type(value, struct census);
} censuses SEC(".maps");

/* Written by `run` alone, read by the other commands. The evidence of an attack, by the port's slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, struct attack);
} attacks SEC(".maps");

/* Each port's last seconds, by its slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* `run` writes it once a second */
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32);
	__type(value, struct port_recent);
} recents SEC(".maps");

/* Sysctls to restore. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYSCTL_MAX);
	__type(key, __u32);
	__type(value, struct saved_sysctl);
} sysctls SEC(".maps");

/* The `run` itself. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct meta);
} meta SEC(".maps");

#endif
