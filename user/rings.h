/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring buffers that the kernel side writes events into, one a CPU, read as one stream in the order of time.
 */
#ifndef SYNWARDEN_RINGS_H
#define SYNWARDEN_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"

struct rings;

/*
 * Makes rings of `bytes` (a power of two of at least a page) for `cpus` CPUs, and puts them into the kernel side's
 * array of rings, the map `array`. -1 after a message; *rings is NULL then.
 */
int rings__open(struct rings **rings, int array, unsigned cpus, size_t bytes);
/* What stands in the rings is not of interest. */
void rings__skip(struct rings *rings);
/*
 * Hands on the events that happened until `until_ns`, which is a time before the call, in the order of time; those of
 * one socket are in the order in which they happened. `max` of them at the most: where so many are returned, there may
 * be more.
 */
size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context);
void rings__close(struct rings *rings);

#endif
