/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments sorted into connections: all of a file, in the order in which the connections began.
 */
#ifndef SYNWARDEN_SEGMENTS_CONNECTIONS_H
#define SYNWARDEN_SEGMENTS_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "segments/http_line.h"
#include "segments/view.h"

struct http_line {
	size_t segment; /* its index */
	char text[HTTP_LINE_BYTES];
};

struct connection {
	struct segment *segments;
	size_t count;
	size_t room;
	struct http_line *lines; /* of the segments that begin with one, in their order */
	size_t line_count;
	size_t line_room;
	struct view view;	  /* of the segments so far: tells when the port is used again */
	bool is_over;		  /* its port was used again, by a connection that was left out */
	struct connection *older; /* of the same hash */
};

struct connections;

/* NULL after a message. At most `most` connections are kept, the first ones. */
struct connections *connections__new(size_t most);

/* Takes a segment, in the order of time, and its line of HTTP, or "". 0; -1 after a message: out of memory. */
int connections__add(struct connections *connections, const struct segment *segment, const char *line);

/* Segments of connections that were left out because there are `most` already. */
size_t connections__left_out(const struct connections *connections);

size_t connections__count(const struct connections *connections);
const struct connection *connections__get(const struct connections *connections, size_t i);

/* NULL is accepted. */
void connections__free(struct connections *connections);

#endif
