// SPDX-License-Identifier: GPL-2.0-only
#include "system/clock.h"

#define ATTEMPTS    16
#define GOOD_ENOUGH 10000 /* nanoseconds */

int64_t clock__realtime_ahead(void)
{
	uint64_t shortest = UINT64_MAX, before, realtime, took;
	int64_t ahead = 0;

	for (int i = 0; i < ATTEMPTS && shortest > GOOD_ENOUGH; i++) {
		before = clock__now();
		realtime = clock__ns(CLOCK_REALTIME);
		took = clock__now() - before;
		if (took < shortest) {
			shortest = took;
			ahead = realtime - before - took / 2;
		}
	}
	return ahead;
}
