// SPDX-License-Identifier: GPL-2.0-only
/*
 * glibc's allocator: arenas, thresholds, caches of threads.
 */
#include <malloc.h>
#include <pthread.h>

#include "heap.h"

#define APART_BYTES (64 << 10)	/* as large a piece is mapped by itself, and goes back as soon as it is freed */
#define TOP_BYTES   (128 << 10) /* so much may be free at the heap's end */

struct errand {
	void (*work)(void *context);
	void *context;
};

/* Set, the thresholds stay: else the first large piece that is freed, the kernel's type information, raises them to its
 * size. */
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
		work(context); /* no thread is to be had: better here than not at all */
	else
		pthread_join(thread, NULL);
	heap__trim();
}
