/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rings of the kernel side, read as one stream in the order of time.
 */
#ifndef SYNWARDEN_STREAM_RINGS_H
#define SYNWARDEN_STREAM_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"

struct rings;

/* The number of rings for so many possible CPUs: only CPUs that are online need their own. */
__u32 rings__count(__u32 cpus);

/* Opens the rings whose maps have the descriptors `rings_fd` and `slots_fd`. -1 after a message; *rings is NULL then.
 */
int rings__open(struct rings **rings, int rings_fd, int slots_fd);
/*
 * Calls `each` for events until `until_ns`, a time before the call, in the order of time; events of one socket are in
 * the order in which they happened. At most `max`: where it returns `max`, there may be more.
 */
size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context);
void rings__close(struct rings *rings);

#endif
