/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks in nanoseconds.
 */
#ifndef SYNWARDEN_CLOCK_H
#define SYNWARDEN_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

static inline uint64_t clock__ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* By the clock that nobody sets back, and that the kernel side's times are of. */
static inline uint64_t clock__now(void)
{
	return clock__ns(CLOCK_MONOTONIC);
}

#endif
