// SPDX-License-Identifier: GPL-2.0-only
/*
 * glibc's allocator: arenas, thresholds, caches of threads.
 */
#include <malloc.h>
#include <pthread.h>

#include "system/heap.h"

#define APART_BYTES (64 << 10)	/* pieces from this size on are mapped each, and unmapped when they are freed */
#define TOP_BYTES   (128 << 10) /* may stay free at the heap's end */

struct errand {
	void (*work)(void *context);
	void *context;
};

/* Setting a threshold fixes it: else the first large piece that is freed, the kernel's type information, would raise it
 * to its size. */
void heap__share(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, APART_BYTES);
	mallopt(M_TRIM_THRESHOLD, TOP_BYTES);
}

void heap__trim(void)
{
	malloc_trim(0);
}

static void *run(void *context)
{
	const struct errand *errand = context;

	errand->work(errand->context);
	return NULL;
}

void heap__apart(void (*work)(void *context), void *context)
{
	struct errand errand = {work, context};
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, &errand))
		work(context); /* no thread can be started: the heap grows, but the work is done */
	else
		pthread_join(thread, NULL);
	heap__trim();
}
