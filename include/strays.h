/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strays: segments to a listening port that belong to no connection, and what comes to a closed port. What the tracker,
 * the filter and `run` know about them; conventions as in types.h.
 */
#ifndef SYNWARDEN_STRAYS_INCLUDE_H
#define SYNWARDEN_STRAYS_INCLUDE_H

#include <linux/types.h>

/* What holds for the strays of one port, by its number. */
struct port_strays {
	union {
		struct {
			__u32 batch_ns; /* time that one batch takes; 0 with a batch: no budget */
			__u32 batch;	/* strays that a CPU takes from the budget at once; 0: entry 0 holds here */
		};
		__u64 rule; /* both, for one store; written by `run` alone */
	};
	__u32 ended_ms;	  /* CLOCK_MONOTONIC in ms modulo 2^32 at which a LISTEN last ended; 0: none has. Of entry 0:
			     at which `run` last found an address of this host that it did not know */
	__u16 challenged; /* where there is a rule: enum challenge; a port armed for SYNs is charged in XDP; written by
			     `run` alone */
	__u16 bound;	  /* 1: a socket here was bound to a device: one above the filtered interface cannot be looked
			     up from there */
};

/*
 * What the packet filter of this host may hand to others, as far as strays could be taken for it; `run` writes it
 * before it attaches the filter, and once a second. Where it is not fresh, any port may be forwarded.
 */
struct forwards {
	__u64 until_ns;
	__u32 answers;	       /* 1: sources are translated: a port from FORWARDS_PORTS on may get answers for others */
	__u32 any;	       /* 1: it cannot be told what is forwarded: any port may be */
	__u8 ports[65536 / 8]; /* a bit for each port whose SYNs a rule may hand to another port or host */
};

#define FORWARDS_PORTS 1024 /* masquerading leaves ports below to clients with such ports (nf_nat_core.c) */

/*
 * Addresses and ports of this host that the kernel has itself refused a moment ago, with a RST. The index is of the
 * port and the address's place together, so that a mark is of one port of one address alone.
 */
#define REFUSED_MARKS 65536
#define REFUSED_MS    10000 /* how long a mark holds */

struct refused_mark {
	union {
		struct {
			__u32 time_ms; /* CLOCK_MONOTONIC in ms modulo 2^32 */
			__u16 place;   /* of the address: one more than in struct local; 0: no mark */
			__u16 epoch;   /* struct local's, modulo 2^15, times two; 1 more: the RST answered a SYN */
		};
		__u64 word; /* all, for one store */
	};
};

#define CLOCKS_MS 32 /* by which the coarse clock of a reader may be behind that of the writer of a time */

#define STRAYS_RESTART_MS                                                                                              \
	30000 /* a port is not armed for strays for so long after a LISTEN ended: its clients' segments                \
		 are strays */

/*
 * Connections that ended a moment ago, by the hash of their addresses: segments that were under way then are no flood.
 * Two that share a place cost a late segment its privilege, but nothing else.
 */
#define ENDED_MARKS 65536
#define ENDED_SHIFT 20	 /* a unit of time is 2^20 ns */
#define ENDED_UNITS 4800 /* about five seconds */

struct ended_mark {
	__u16 tag;  /* further bits of the hash */
	__u16 time; /* when it ended */
};

/* The values of the map `protected`: who made the entry. */
enum protected_by {
	PROTECTED_NAMED = 1, /* --protect names it */
	PROTECTED_AUTO = 2,  /* --protect auto found a listener, and nothing that translates the port */
};

#endif
