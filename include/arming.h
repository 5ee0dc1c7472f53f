/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Budgets of listening ports, and what arms a port; conventions as in types.h.
 */
#ifndef SYNWARDEN_ARMING_INCLUDE_H
#define SYNWARDEN_ARMING_INCLUDE_H

#include <linux/types.h>

/* What one CPU may still admit of its last batches. */
struct tokens {
	__u64 whole; /* of the budget */
	__u64 half;  /* of half of it */
};

/*
 * How far a budget is used up, and until when that arms the port. Written for what is admitted (a batch at a time), and
 * on arming; what is over the budget only reads.
 */
struct arming {
	__u64 tat_ns;	      /* GCRA over the whole budget */
	__u64 half_tat_ns;    /* GCRA over half of it: what is beyond this one keeps an armed port armed */
	__u64 armed_until_ns; /* armed while the clock is below; 0: never was */
};

/* The budgets of one listening port, by its slot, for all CPUs. */
struct port_gcra {
	struct arming syns;    /* over --port-budget */
	struct arming strays;  /* over --stray-budget */
	__u64 verified_tat_ns; /* GCRA over VERIFIED_BUDGETS budgets, of the verified sources' SYNs */
	__u64 sampled;	       /* 1: SYNs are copied into the port's sample, until it is full */
};

/* Until when any port is armed. */
struct armed {
	__u64 any_until_ns;  /* for SYNs or strays: the first check of an ordinary segment */
	__u64 syns_until_ns; /* for SYNs: the kernel has to take cookies */
};

/* The budget that arms a port. */
enum arming_kind {
	ARMING_SYNS,
	ARMING_STRAYS,
};

/* Sent to `run` as soon as a port is armed. */
struct alert {
	__u64 time_ns;
	__u32 slot;
	__u16 port;
	__u16 kind; /* enum arming_kind */
};

_Static_assert(sizeof(struct port_gcra) == 64, "a cache line of its own");

#endif
