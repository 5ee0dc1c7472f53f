/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event ring -> struct event, in the order of the ring, with what was lost in between.
 */
#ifndef SYNWARDEN_EVENTS_H
#define SYNWARDEN_EVENTS_H

#include <stdint.h>

#include "maps.h"
#include "types.h"

struct events;

struct events_sink {
	void (*event)(void *context, const struct event *event);
	/* `lost` more than before of stage enum loss. */
	void (*lost)(void *context, unsigned loss, uint64_t lost);
	void *context;
};

/* Only the first reader of a ring gets its events. -1 after a message. */
int events__open(struct events **events, const struct maps *maps, const struct events_sink *sink);
/* Waits up to timeout_ms for a fill of the ring, then hands on what is there. Returns how many, -1 on failure, 0 on a
 * signal. */
int events__poll(struct events *events, int timeout_ms);
void events__close(struct events *events);

/* event.time_ns as nanoseconds since the epoch, by the clocks as they stood at the last poll: one offset for a batch.
 */
uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns);

#endif
