/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments and transitions as they happen -> ladders. One connection is shown at a time, from its first segment to its
 * end; what others do meanwhile is kept, and shown after it. JSON is not kept back.
 */
#ifndef SYNWARDEN_SEGMENTS_LIVE_H
#define SYNWARDEN_SEGMENTS_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "conns.h"
#include "segments.h"
#include "segments/ladder.h"

struct live_options {
	const struct ladder_format *format;
	struct ladder *ladder;
	uint32_t connections; /* to be shown */
	uint32_t count;	      /* segments of each to be shown; 0: all */
	uint32_t ifindex;     /* see what this device does alone; 0: all of them, each segment once */
	bool at_once;	      /* show each connection's segments when they come, mixed */
	/* Whether a connection is wanted, by what only its owner tells; an unknown owner matches nothing that is asked
	 * for. */
	bool (*is_wanted)(void *context, const struct event *event);
	bool by_owner; /* segments without an owner are not wanted */
	void *context;
};

struct live;

/* NULL after a message. */
struct live *live__new(const struct live_options *options);

/* In the order of time. */
void live__segment(struct live *live, const struct segment *segment);
void live__event(struct live *live, const struct event *event);

/* All up to now_ns has been handed in: shows what was held back for it, and ends what has ended. */
void live__tick(struct live *live, uint64_t now_ns);

/* As many connections as were asked for have been shown. */
bool live__is_done(const struct live *live);

/* Segments or transitions for which there was no room, because another connection was being shown. */
uint64_t live__lost(const struct live *live);

/* Ends what is open, and frees all. NULL is accepted. */
void live__end(struct live *live);

#endif
