/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic on bits that the instruction set has no instruction for. Without branches: the verifier would follow each
 * way through them to the program's end.
 */
#ifndef SYNWARDEN_BITS_H
#define SYNWARDEN_BITS_H

#include <bpf/bpf_helpers.h>

/* The number of the highest bit that is set, by halves; of 0 it is 0. */
static __always_inline __u32 bits_log2(__u64 n)
{
	__u64 rest, step;
	__u32 log = 0;
	int bit;

#pragma unroll
	for (bit = 5; bit >= 0; bit--) {
		rest = n >> (1 << bit);
		barrier_var(rest);	   /* or the compiler makes a branch of it */
		step = -rest >> 63 << bit; /* 0 where nothing is left */
		n >>= step;
		log += step;
	}
	return log;
}

#endif
