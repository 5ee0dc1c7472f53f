/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tracker of one's own, followed until it is enough: what the commands that print the ring's lines share.
 */
#ifndef SYNWARDEN_STREAM_H
#define SYNWARDEN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "guard.h"
#include "owners.h"

struct stream {
	struct guard *guard;
	struct owners *owners;
	struct events *events;
	bool json;
	uint32_t seconds; /* 0: no end */
	uint32_t count;	  /* lines after which it is enough; 0: no end */
	uint64_t printed; /* lines so far */
};

/*
 * Loads and attaches the `parts` (enum guard_parts) with `config`, and names the owners of the sockets that exist.
 * `event` is called by stream__follow(), with `stream` as its context. 0, or -1 after a message; stream__close() in
 * both cases.
 */
int stream__open(struct stream *stream, const struct config *config, unsigned parts, size_t ring_bytes,
		 void (*event)(void *context, const struct event *event));
/* Whether as many lines as were asked for are printed. */
bool stream__is_full(const struct stream *stream);
/* Prints until stopped by a signal, a closed pipe, the time or the count; what stands in the ring by then is printed.
 * Returns the exit code. */
int stream__follow(struct stream *stream);
void stream__close(struct stream *stream);

#endif
