/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is told of connections, one at a time, and its way to the reader. What holds for all values of the boundary is
 * said in types.h.
 */
#ifndef SYNWARDEN_CONNS_H
#define SYNWARDEN_CONNS_H

#include <linux/types.h>

#define COMM_LEN	 16
#define DURATION_UNKNOWN (~0ULL)
#define BYTES_UNKNOWN	 (~0ULL)

struct addr {
	union {
		__u8 bytes[16];
		__be32 words[4];
		__be64 halves[2];
	};
};

struct flow {
	struct addr laddr; /* this host's side */
	struct addr raddr;
	__u16 lport;
	__u16 rport;
	__u32 netns; /* inode number of the network namespace, as in /proc/PID/ns/net */
};

/* How an owner is known; also the labels of the event field `owner`. */
enum owner_kind {
	OWNER_UNKNOWN,
	OWNER_CONNECT,	/* called connect() */
	OWNER_LISTEN,	/* called listen() on the socket that this one was accepted from */
	OWNER_ACCEPT,	/* was the first to read from it */
	OWNER_SNAPSHOT, /* held it, or its listener, when the tracker looked */
	OWNER_MAX,
};

struct owner {
	__u64 start_ns; /* CLOCK_BOOTTIME at which the process began: tells a reused pid */
	__u64 cgroup;	/* id in the cgroup v2 hierarchy: the inode number of its directory */
	__u32 pid;	/* 0: unknown, and so is all else */
	__u32 uid;	/* the process's real one, in the initial user namespace */
	__u32 kind;	/* enum owner_kind */
	char comm[COMM_LEN];
	__u32 pad;
};

/* One state transition, as sent through a ring. */
struct event {
	__u64 time_ns;
	__u64 cookie;	   /* socket cookie, as ss -e shows it */
	__u64 duration_ns; /* time spent in `old`; DURATION_UNKNOWN where nothing is known of it */
	struct flow flow;
	struct owner owner;
	__u8 old; /* enum state */
	__u8 new;
	__u8 ending;   /* enum ending; ENDING_NONE unless `new` is final */
	__u8 at_least; /* 1: `old` began before it was first looked at, duration_ns ago */
	__u32 pad;
};

enum role {
	ROLE_UNKNOWN,
	ROLE_CLIENT,
	ROLE_SERVER,
	ROLE_MAX,
};

/* Who sent the first FIN. */
enum closer {
	CLOSER_NONE,
	CLOSER_LOCAL,
	CLOSER_REMOTE,
	CLOSER_MAX,
};

/* A connection as a whole: sent through a ring when it ends, or listed while it lives (event.new is its state then, and
 * event.duration_ns unknown). */
struct life {
	struct event event;
	__u64 age_ns;	    /* DURATION_UNKNOWN: not known at all */
	__u64 handshake_ns; /* client: from SYN to ESTABLISHED; server: round trip of the SYN-ACK; 0: unknown */
	__u64 sent;	    /* payload bytes, each counted once; BYTES_UNKNOWN: not a full socket, or a listener */
	__u64 received;
	__u32 retransmits; /* segments, SYN, SYN-ACK and FIN among them */
	__u8 role;	   /* enum role */
	__u8 closer;	   /* enum closer */
	__u8 established;  /* it was, at some time */
	__u8 existed;	   /* before the tracker looked: age_ns is "at least" */
};

/* What own_sockets writes for the reader: a listener and a living process that holds it. */
struct holder {
	__u64 cookie; /* of the listener */
	struct flow flow;
	struct owner owner;
};

/* Which transitions a stream wants; a field of 0 matches all. */
struct event_filter {
	struct addr addr; /* either side, masked, is addr */
	struct addr mask;
	__u32 pid; /* an owner that is not known yet is let through */
	__u32 netns;
	__u16 port;    /* either side */
	__u8 family;   /* 4 or 6; v4-mapped counts as 4 */
	__u8 state;    /* old or new */
	__u32 by_addr; /* 1: addr and mask hold */
};

/* What goes into the rings. */
enum stream_kind {
	STREAM_NONE,
	STREAM_EVENTS, /* every transition: struct event */
	STREAM_LIVES,  /* connections that ended: struct life */
};

#define RING_SHARED 64 /* CPUs that have one ring between them at the most */

/*
 * The stream's way to its one reader, a ring for each CPU that was online when it began; one that comes later shares
 * with another. The kernel side fills the ring's slots in turn: what it fills as number n, counted from 0, stands in
 * slot n modulo config.ring_slots, and is whole once the slot says n + 1. It leaves alone what the reader does not say
 * to have read.
 */
struct ring {
	__u64 filled; /* slots that were given out; written by the kernel side */
	__u64 pad[7];
	__u64 read; /* written by the user side, on a cache line of its own */
	__u64 more[7];
};

struct ring_slot {
	__u64 turn;
	union { /* by config.stream, and so long only is the slot */
		struct event event;
		struct life life;
	};
};

/* The length of a slot that holds `member`. */
#define RING_SLOT_BYTES(member) (__builtin_offsetof(struct ring_slot, member) + sizeof(((struct ring_slot *)0)->member))

_Static_assert(sizeof(struct flow) == 40, "flow has no holes");
_Static_assert(sizeof(struct owner) == 48, "owner has no holes");
_Static_assert(sizeof(struct event) == 120, "event has no holes");
_Static_assert(sizeof(struct life) == 160, "life has no holes");
_Static_assert(RING_SLOT_BYTES(event) == 128, "a transition takes two cache lines of a ring");

#endif
