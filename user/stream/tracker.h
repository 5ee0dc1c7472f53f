/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module stream reads the tracker's events. It may include output, kernel, config, system and text.
 *
 * A tracker of this process: its programs, its rings, and the owners of sockets. `states`, `conns` and the
 * endpoint's streams each open one.
 */
#ifndef SYNWARDEN_STREAM_TRACKER_H
#define SYNWARDEN_STREAM_TRACKER_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/programs.h"
#include "stream/events.h"
#include "stream/owners.h"
#include "types.h"

/* All zero: closed. */
struct tracker {
	struct programs *programs;
	struct events *events;
	struct owners *owners;
	bool tells_http; /* a `run` counted HTTP when it was opened: connections that close tell of it */
};

/*
 * Loads and attaches the `parts` (enum program_parts), and finds the owners of the sockets that exist. `config` says
 * what is streamed and what is filtered. The rings, where PROGRAMS_TRACKER is among the parts, take about `ring_bytes`
 * together, between 2,048 and 131,072 slots each. 0, or -1 after a message; tracker__close() in both cases.
 */
int tracker__open(struct tracker *tracker, const struct config *config, unsigned parts, size_t ring_bytes,
		  const struct events_sink *sink);
void tracker__close(struct tracker *tracker);

#endif
