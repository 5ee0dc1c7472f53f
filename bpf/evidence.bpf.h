/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The number of distinct sources that send SYNs to an armed port: HyperLogLog (Flajolet et al. 2007), registers of a
 * byte, one set for each window of 2^30 ns. The user side clears a set ahead of its window, and merges the sets; where
 * it is late, nothing is counted.
 */
#ifndef SYNWARDEN_EVIDENCE_H
#define SYNWARDEN_EVIDENCE_H

#include "bits.bpf.h"
#include "syn.bpf.h"

/* A register holds the longest run of zero bits seen, plus one; most SYNs change none. */
static __always_inline void evidence_count_source(const struct syn *s)
{
	__u64 window = s->now >> SKETCH_WINDOW_SHIFT, hash = s->hash, rest = hash >> HLL_BITS;
	__u32 slot = s->slot, *estimator = bpf_map_lookup_elem(&estimators, &slot), index,
	      set = window & (HLL_WINDOWS - 1);
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
	rest |= 1ULL << (64 - HLL_BITS);
	*reg = bits_log2(rest & -rest) + 1;
}

#endif
