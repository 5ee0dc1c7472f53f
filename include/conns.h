/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records that the tracker streams to user space (struct event, struct life), and the rings that carry them.
 * Conventions: types.h.
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

/* How an owner is known. */
enum owner_kind {
	OWNER_UNKNOWN,
	OWNER_CONNECT,	/* it called connect() */
	OWNER_LISTEN,	/* it called listen() on the socket that accepted this one */
	OWNER_ACCEPT,	/* it was the first to read from the socket */
	OWNER_SNAPSHOT, /* it held the socket, or its listener, when the tracker listed all sockets */
	OWNER_MAX,
};

struct owner {
	__u64 start_ns; /* CLOCK_BOOTTIME at which the process began: tells apart processes of one pid */
	__u64 cgroup;	/* id in the cgroup v2 hierarchy: the inode number of its directory */
	__u32 pid;	/* 0: unknown, and so are the other fields */
	__u32 uid;	/* the real one, in the initial user namespace */
	__u32 kind;	/* enum owner_kind */
	char comm[COMM_LEN];
} __attribute__((packed, aligned(4))); /* without a hole at its end, where struct event has a field */

/* One state transition, as sent through a ring. */
struct event {
	__u64 time_ns;
	__u64 cookie;	   /* socket cookie, as ss -e shows it */
	__u64 duration_ns; /* time spent in `old`, or DURATION_UNKNOWN */
	struct flow flow;
	struct owner owner;
	__u32 device; /* ifindex that the socket is bound to, in its namespace; 0: none */
	__u8 old;     /* enum state */
	__u8 new;
	__u8 ending;   /* enum ending; ENDING_NONE unless `new` is final */
	__u8 at_least; /* 1: duration_ns is a lower bound, as `old` began before the tracker saw it */
	__u32 what;    /* RING_EVENT */
};

/* What a slot of a ring holds where a stream has several, see segments.h and http.h. */
enum ring_content {
	RING_EVENT,
	RING_SEGMENT,
	RING_HTTP,
};

enum role {
	ROLE_UNKNOWN,
	ROLE_CLIENT,
	ROLE_SERVER,
	ROLE_MAX,
};

/* What a connection carries, by its first bytes; what is counted of it in the order of enum http_carries. */
enum protocol {
	PROTOCOL_UNKNOWN, /* nothing that decides it was seen, or HTTP is not counted */
	PROTOCOL_HTTP1,
	PROTOCOL_H2C,
	PROTOCOL_TLS,
	PROTOCOL_OTHER,
};

/* The side that sent the first FIN. */
enum closer {
	CLOSER_NONE,
	CLOSER_LOCAL,
	CLOSER_REMOTE,
	CLOSER_MAX,
};

/* A connection as a whole: sent through a ring when it closes, or listed while it is open (event.new is its state then,
 * and event.duration_ns unknown). */
struct life {
	struct event event;
	__u64 age_ns;	    /* or DURATION_UNKNOWN */
	__u64 handshake_ns; /* client: from SYN to ESTABLISHED; server: round trip of the SYN-ACK; 0: unknown */
	__u64 sent;	    /* payload bytes, each counted once; BYTES_UNKNOWN: not a full socket, or a listener */
	__u64 received;
	__u32 retransmits; /* segments, SYN, SYN-ACK and FIN among them */
	__u8 role;	   /* enum role */
	__u8 closer;	   /* enum closer */
	__u8 established;  /* 1: it was ESTABLISHED at some time */
	__u8 existed;	   /* 1: older than the tracker: age_ns is a lower bound */
	__u32 requests;	   /* PROTOCOL_HTTP1: requests that were asked; else 0 */
	__u8 protocol;	   /* enum protocol */
	__u8 more;	   /* 1: `requests` is a lower bound */
	__u8 pad[2];
};

/*
 * A connection in FIN_WAIT2 without a process, which the kernel keeps in a mini-socket that no tracepoint of TCP
 * reports. See bpf/closing.bpf.h.
 */
struct closing {
	struct life life; /* as it was when the socket ended, at life.event.time_ns */
	__u64 since_ns;	  /* when FIN_WAIT2 began; 0: not known */
	__u64 ended;	  /* 1: its end was reported */
	__u64 stale_at;	  /* jiffies; the kernel has ended it by then */
	__u32 rcv_nxt;	  /* sequence number that the peer's FIN must have */
	__u32 window;	  /* of the receiver: bytes from rcv_nxt on */
};

/* What own_sockets writes for the reader: a listener and a process that holds it. */
struct holder {
	__u64 cookie; /* of the listener */
	struct flow flow;
	struct owner owner;
	__u32 pad;
};

/* Which transitions a stream wants; a field of 0 matches all. */
struct event_filter {
	struct addr addr; /* either side, masked, is addr */
	struct addr mask;
	__u32 pid; /* an event whose owner is not known yet matches */
	__u32 netns;
	__u16 port;    /* either side */
	__u8 family;   /* 4 or 6; v4-mapped counts as 4 */
	__u8 state;    /* old or new */
	__u32 by_addr; /* 1: addr and mask hold */
};

/* The contents of the rings. */
enum stream_kind {
	STREAM_NONE,
	STREAM_EVENTS, /* every transition: struct event */
	STREAM_LIVES,  /* connections that closed: struct life */
	STREAM_LADDER, /* every transition, and every segment: struct event or struct segment */
	STREAM_HTTP,   /* connections that closed, and HTTP on all: struct life or struct http_piece */
};

#define RING_SHARED 64 /* CPUs that share a ring at most */

/*
 * The stream's way to its one reader: a ring for each CPU that was online when it began; a later CPU shares one. The
 * kernel side fills the slots in turn: entry n, counted from 0, is in slot n modulo config.ring_slots, and is
 * complete once the slot's turn is n + 1. A slot is never overwritten before the reader has advanced `read` past it.
 */
struct ring {
	__u64 filled; /* slots that were given out; written by the kernel side */
	__u64 pad[7];
	__u64 read; /* written by the user side, on a cache line of its own */
	__u64 more[7];
};

struct ring_slot {
	__u64 turn;
	union { /* which one: config.stream; the slot is only as long as that */
		struct event event;
		struct life life;
	};
};

/* The length of a slot that holds `member`. */
#define RING_SLOT_BYTES(member) (__builtin_offsetof(struct ring_slot, member) + sizeof(((struct ring_slot *)0)->member))

_Static_assert(sizeof(struct flow) == 40, "flow has no holes");
_Static_assert(sizeof(struct owner) == 44, "owner has no holes");
_Static_assert(sizeof(struct holder) == 96, "holder has no holes");
_Static_assert(sizeof(struct event) == 120, "event has no holes");
_Static_assert(sizeof(struct life) == 168, "life has no holes");
_Static_assert(RING_SLOT_BYTES(event) == 128, "a transition takes two cache lines of a ring");

#endif
