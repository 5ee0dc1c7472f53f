/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the filter of a `run` does with chosen connections, as it tells it to one ladder at a time: struct watch.
 */
#ifndef SYNWARDEN_KERNEL_VERDICTS_H
#define SYNWARDEN_KERNEL_VERDICTS_H

#include <stdint.h>

#include "segments.h"
#include "types.h"

struct verdicts;

/*
 * Begins to watch in the network namespace with this inode number; `filter` selects by port, address and family. NULL:
 * there is no `run`, or, after a message, it cannot be watched. Works on without any capability.
 */
struct verdicts *verdicts__open(uint32_t netns, const struct event_filter *filter);

/* To be called more often than WATCH_NS, or the filter ends the watch. */
void verdicts__renew(struct verdicts *verdicts);

/* Calls `each` for verdicts up to until_ns (CLOCK_MONOTONIC), in the order of time. */
void verdicts__consume(struct verdicts *verdicts, uint64_t until_ns,
		       void (*each)(void *context, const struct segment *segment), void *context);

/* How many were lost since the last call, of this ladder or of one before it. */
uint64_t verdicts__lost(struct verdicts *verdicts);

/* Ends the watch. NULL is accepted. */
void verdicts__close(struct verdicts *verdicts);

#endif
