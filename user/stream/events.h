/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event rings -> struct event, in the order of time, and what was lost in between.
 */
#ifndef SYNWARDEN_STREAM_EVENTS_H
#define SYNWARDEN_STREAM_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/programs.h"
#include "types.h"

struct events;

struct events_sink {
	void (*event)(void *context, const struct event *event);
	/* `lost` more events than before, at stage enum loss. */
	void (*lost)(void *context, unsigned loss, uint64_t lost);
	void *context;
};

/*
 * Opens the rings of loaded programs, before the tracker is attached; where they have none, only losses are reported.
 * Only one reader gets the events. -1 after a message.
 */
int events__open(struct events **events, struct programs *programs, const struct events_sink *sink);
/*
 * Sleeps until timeout_ms after the previous call, or returns from sleep at once if that has passed or a signal
 * arrives; then delivers what the rings hold. The rings have no wake-up.
 */
void events__poll(struct events *events, int timeout_ms);
void events__close(struct events *events);

/* event.time_ns as nanoseconds since the epoch, by the offset of the clocks at the last poll. */
uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns);

#endif
