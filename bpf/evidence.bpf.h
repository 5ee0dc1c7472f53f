/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many distinct sources send SYNs to an armed port: HyperLogLog (Flajolet et al. 2007), registers of a byte, one
 * set for each second. The user side clears a set ahead of its second and merges them; where it is late, nothing is
 * counted.
 */
#ifndef SYNWARDEN_EVIDENCE_H
#define SYNWARDEN_EVIDENCE_H

#include "report.bpf.h"

/* `hash` must be uniform. A register holds the longest run of zero bits seen, plus one; most SYNs change none. */
static __always_inline void evidence_count_source(__u32 slot, __u64 hash, __u64 now)
{
	__u64 window = now >> SKETCH_WINDOW_SHIFT, rest = hash >> HLL_BITS;
	__u32 *estimator = bpf_map_lookup_elem(&estimators, &slot), index, set = window & (HLL_WINDOWS - 1);
	__u8 *reg, rank;
	struct hll *hll;

	if (!estimator || !*estimator)
		return;
	index = *estimator - 1;
	hll = bpf_map_lookup_elem(&distinct_srcs, &index);
	if (!hll || hll->window[set] != window)
		return;
	reg = &hll->registers[set][hash & (HLL_REGISTERS - 1)];
	rank = *reg;
	if (rank > 64 - HLL_BITS || rest & ((1ULL << rank) - 1))
		return;
	for (; rank <= 64 - HLL_BITS; rank++)
		if (rest >> rank & 1)
			break;
	*reg = rank + 1;
}

#endif
