/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One SYN on its way through the judges: what the first of them found out for the next.
 */
#ifndef SYNWARDEN_SYN_H
#define SYNWARDEN_SYN_H

#include "local.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

/*
 * Whether the judges act, or only explain what they would do: then they take no token and write to no map. A constant
 * to the compiler: filter_packet has no code that explains, and explain_packet none that acts.
 */
struct mode {
	int explains;
	struct explanation *answer; /* where it explains */
};

struct syn {
	struct xdp_md *ctx;
	const struct mode *mode;
	const struct packet *pkt;
	struct port_count *count;	       /* of its port's slot; NULL: not found */
	const struct addr *source;	       /* this and the next two: set where a rate is limited */
	__u64 hash;			       /* of the source */
	__u64 now;			       /* CLOCK_MONOTONIC_COARSE */
	struct port_gcra *gcra;		       /* NULL: no budget applies */
	const volatile struct port_rule *rule; /* where a budget applies */
	__u32 slot;			       /* of its port; 0: "other" */
	struct arrival arrival;		       /* where a budget applies */
};

#endif
