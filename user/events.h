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
/*
 * Waits until timeout_ms have passed since the last call (not at all where it is late, and a signal ends it), then
 * hands on what is there. The kernel side wakes nobody. Returns how many, or -1 on failure.
 */
int events__poll(struct events *events, int timeout_ms);
void events__close(struct events *events);

/* The clock of event.time_ns. */
uint64_t events__now(void);
/* event.time_ns as nanoseconds since the epoch, by the clocks as they stood at the last poll: one offset for a batch.
 */
uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns);

#endif
