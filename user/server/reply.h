/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers to HTTP requests, as libmicrohttpd takes them: whole pages, streams, and refusals.
 */
#ifndef SYNWARDEN_SERVER_REPLY_H
#define SYNWARDEN_SERVER_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "server/gzip_page.h"

#define REPLY_HEADER_LEN 1024

/* A header of the request, all its lines joined to one list; what is too long is left out. NULL where there is none. */
const char *reply__header(struct MHD_Connection *connection, const char *name, char text[REPLY_HEADER_LEN]);

struct reply_page {
	const char *type;
	struct packed text;
	bool chosen;	/* the type depends on the request's Accept */
	bool truncated; /* there was more than was asked for: said in the header X-Truncated */
};

/* Takes over page->text.data. Sends it unpacked unless the client accepts gzip. */
enum MHD_Result reply__page(struct MHD_Connection *connection, const struct reply_page *page);

/* A page that never changes while the program runs: `text` stays the caller's, and clients keep what they got. */
enum MHD_Result reply__file(struct MHD_Connection *connection, const char *type, const struct packed *text);

/*
 * An answer without a known end. `read` is called for more, and gives MHD_CONTENT_READER_END_OF_STREAM at its end;
 * where it has nothing, it suspends the connection and gives 0.
 */
enum MHD_Result reply__stream(struct MHD_Connection *connection, const char *type, MHD_ContentReaderCallback read,
			      void *context);

/*
 * An error in plain text. Closes the connection after it: what else the client sent (a body) is not looked at. What a
 * status wants besides (Allow, Retry-After, WWW-Authenticate) is added.
 */
enum MHD_Result reply__refuse(struct MHD_Connection *connection, unsigned status, const char *text);

#endif
