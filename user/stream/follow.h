/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands that print a line for each event share: options, signals, output, and when to stop.
 */
#ifndef SYNWARDEN_STREAM_FOLLOW_H
#define SYNWARDEN_STREAM_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "stream/tracker.h"

struct stream_options {
	bool json;
	uint32_t seconds; /* 0: no limit */
	uint32_t count;	  /* lines; 0: no limit */
};

/* Rows of an option table, for a struct `type` with the struct stream_options `member`. */
#define STREAM_ROWS(type, member, duration_help, count_help)                                                           \
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(type, member.json), .help = "one JSON object a line"},         \
		{"duration",	       'd', OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(type, member.seconds),     \
		 .help = duration_help},                                                                               \
	{                                                                                                              \
		"count", 'c', OPTION_NUMBER, 1, 4294967295, "N", offsetof(type, member.count), .help = count_help      \
	}

struct stream {
	struct stream_options options;
	void (*event)(void *context, const struct event *event); /* for each event */
	void (*before)(void *context);				 /* before each look into the rings */
	void *context;						 /* of both */
	uint64_t printed;					 /* lines so far */
	struct tracker tracker;
	int error; /* the first error of writing; an errno */
};

/* Opens the tracker, see tracker__open(); options and callbacks are set. 0, or -1 after a message; follow__close() in
 * both cases. */
int follow__open(struct stream *stream, const struct config *config, unsigned parts);
/* To be called after each line on stdout. */
void follow__printed(struct stream *stream);
/* Says among the lines that so many more were lost, at stage enum loss. */
void follow__lost(const struct stream *stream, unsigned loss, uint64_t lost);
/* Whether all requested lines are printed, or no more can be. */
bool follow__is_full(const struct stream *stream);
/* Writes out stdout's buffer. -1 after a message; a reader of the pipe that closed it is no error. */
int follow__flush(struct stream *stream);
/*
 * Prints `message` to stderr and follows until a signal, the time or the count ends it; events that are in the rings by
 * then are printed. Returns the exit code.
 */
int follow__follow(struct stream *stream, const char *message);
void follow__close(struct stream *stream);

#endif
