/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module system is the operating system: clock, heap, namespaces, control groups, privileges, devices. It may include
 * text.
 *
 * Clocks in nanoseconds.
 */
#ifndef SYNWARDEN_SYSTEM_CLOCK_H
#define SYNWARDEN_SYSTEM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_MS (NS_PER_S / 1000)

static inline uint64_t clock__ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* CLOCK_MONOTONIC, the clock of all times from the kernel side. */
static inline uint64_t clock__now(void)
{
	return clock__ns(CLOCK_MONOTONIC);
}

/*
 * CLOCK_REALTIME minus CLOCK_MONOTONIC. A thread that is interrupted between its readings of the two would be wrong by
 * as long: of some attempts, the one that took the shortest time counts, and one within 10 us is good enough.
 */
int64_t clock__realtime_ahead(void);

#endif
