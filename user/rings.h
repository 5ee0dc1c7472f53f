/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rings that the kernel side writes events into, read as one stream in the order of time.
 */
#ifndef SYNWARDEN_RINGS_H
#define SYNWARDEN_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"

struct rings;

/* How many there should be for so many possible CPUs, of which only those that are online need one of their own. */
__u32 rings__count(__u32 cpus);

/* Opens the rings whose maps have the descriptors `rings_fd` and `slots_fd`. -1 after a message; *rings is NULL then.
 */
int rings__open(struct rings **rings, int rings_fd, int slots_fd);
/*
 * Hands on the events that happened until `until_ns`, which is a time before the call, in the order of time; those of
 * one socket are in the order in which they happened. `max` of them at the most: where so many are returned, there may
 * be more.
 */
size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context);
void rings__close(struct rings *rings);

#endif
