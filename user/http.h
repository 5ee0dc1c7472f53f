/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small HTTP server for read-only pages and streams: GET and HEAD of a fixed table of paths, in one thread of its
 * own, over TLS and for known users only where that is asked for.
 */
#ifndef SYNWARDEN_HTTP_H
#define SYNWARDEN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "options.h"

struct http_options {
	struct listen_at at;
	const char *tls_cert; /* PEM files, both or none; NULL: no TLS */
	const char *tls_key;
	const char *auth_file; /* NULL: everybody may ask */
};

struct http_request;
/* The value of "?NAME=VALUE" in the address; NULL where it is not there. */
const char *http__query(const struct http_request *request, const char *name);
/* The page does not hold all that there is: said in the answer's header X-Truncated. */
void http__truncated(struct http_request *request);

enum http_ready {
	HTTP_READY,
	HTTP_NOT_YET, /* `wake` follows */
	HTTP_BROKEN,  /* after a message */
};

/* What a page without an end is read from. All but `wake` are called by the server's thread. */
struct http_stream {
	/*
	 * A reader for one client; NULL where there are too many. `wake` is to be called with `who`, from any thread,
	 * when there is something again after ready() or read() had nothing. Not after close() has returned.
	 */
	void *(*open)(void *context, void (*wake)(void *who), void *who);
	enum http_ready (*ready)(void *reader);
	/* Bytes written to `to`; 0: nothing now; -1: the end. */
	ssize_t (*read)(void *reader, char *to, size_t size);
	void (*close)(void *reader);
};

/* What stands packed in the program: gzip, from its first byte up to `end`. */
struct http_file {
	const unsigned char *gzip, *end;
};

struct http_page {
	const char *path;
	const char *type; /* Content-Type. Of several rows with the same path the client chooses; the first one else */
	/*
	 * Writes the page anew for each request; never called twice at once. Returns 0; -1 after a message, which makes
	 * it a 500; or a status from 400 on, whose reason it has written in place of the page.
	 */
	int (*write)(FILE *out, void *context, struct http_request *request);
	const struct http_stream *stream; /* in place of `write` */
	const struct http_file *file;	  /* likewise */
};

struct http;

/* Whether the options go together; false after a message. */
bool http__check(const struct http_options *options);
/* Reads what it serves with, and listens: all that may need rights. -1 after a message. */
int http__open(struct http **http, const struct http_options *options);
/* Serves, in a thread that it starts. `pages` and `context` must outlive the server. -1 after a message. */
int http__serve(struct http *http, const struct http_page *pages, size_t count, void *context);
/* Accepts nothing more, gives answers under way a second to end, and frees. Streams must end by themselves before.
 * Accepts NULL. */
void http__stop(struct http *http);

#endif
