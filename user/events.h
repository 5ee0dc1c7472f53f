/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event rings -> struct event, in the order of time, with what was lost in between.
 */
#ifndef SYNWARDEN_EVENTS_H
#define SYNWARDEN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "guard.h"
#include "types.h"

struct events;

struct events_sink {
	void (*event)(void *context, const struct event *event);
	/* `lost` more than before of stage enum loss. */
	void (*lost)(void *context, unsigned loss, uint64_t lost);
	void *context;
};

/*
 * Opens the rings of a loaded guard; where it has none, losses alone are told. To be called before it is attached. Only
 * one reader gets the events. -1 after a message.
 */
int events__open(struct events **events, struct guard *guard, const struct events_sink *sink);
/*
 * Waits until timeout_ms have passed since the last call (not at all where it is late, and a signal ends it), then
 * hands on what is there. The kernel side wakes nobody.
 */
void events__poll(struct events *events, int timeout_ms);
void events__close(struct events *events);

/* event.time_ns as nanoseconds since the epoch, by the clocks as they stood at the last poll: one offset for a batch.
 */
uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns);

#endif
