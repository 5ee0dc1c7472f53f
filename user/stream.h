/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tracker of one's own, followed until it is enough: what the commands that print lines of the ring share.
 */
#ifndef SYNWARDEN_STREAM_H
#define SYNWARDEN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "guard.h"
#include "owners.h"

struct stream_options {
	bool json;
	uint32_t seconds; /* 0: no end */
	uint32_t count;	  /* lines after which it is enough; 0: no end */
};

/* Rows of an option table, for a struct `type` with the struct stream_options `member`. */
#define STREAM_ROWS(type, member, duration_help, count_help)                                                             \
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(type, member.json), "one JSON object a line"},                   \
		{"duration", 'd', OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(type, member.seconds), duration_help}, \
	{                                                                                                                \
		"count", 'c', OPTION_NUMBER, 1, 4294967295, "N", offsetof(type, member.count), count_help                \
	}

struct stream {
	struct stream_options options;
	uint64_t printed; /* lines so far */
	struct guard *guard;
	struct owners *owners;
	struct events *events;
	int error; /* the first one of writing; an errno */
};

/*
 * Loads and attaches the `parts` (enum guard_parts) with `config`, and names the owners of the sockets that exist.
 * `event` is called by stream__follow(), with `stream` as its context. 0, or -1 after a message; stream__close() in
 * both cases.
 */
int stream__open(struct stream *stream, const struct config *config, unsigned parts,
		 void (*event)(void *context, const struct event *event));
/* To be called after each line on stdout. */
void stream__printed(struct stream *stream);
/* Whether as many lines as were asked for are printed, or no more can be. */
bool stream__is_full(const struct stream *stream);
/* Writes out what stands in stdout's buffer. -1 after a message; a reader that went away has had enough. */
int stream__flush(struct stream *stream);
/*
 * Goes on until a signal, the time or the count ends it; what stands in the ring by then is printed. `before` is called
 * before each look into the ring, and before `message` says that it begins. Returns the exit code.
 */
int stream__follow(struct stream *stream, const char *message, void (*before)(struct stream *stream));
void stream__close(struct stream *stream);

#endif
