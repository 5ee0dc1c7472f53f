/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small HTTP server for read-only pages and streams: GET and HEAD of a fixed table of paths, in one thread of its
 * own, over TLS and for known users only where that is asked for. It knows no page of synwarden's. The module includes
 * config/, system/ and text/, and other modules include of it only this header.
 */
#ifndef SYNWARDEN_SERVER_SERVER_H
#define SYNWARDEN_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "text/address.h"

struct server_options {
	struct listen_at at;
	const char *tls_cert; /* PEM files, both or none; NULL: no TLS */
	const char *tls_key;
	const char *auth_file; /* NULL: no password is asked for */
	const char *hosts; /* "NAME,NAME": by which it may be asked besides its addresses and own name; NULL: none */
};

struct http_request;
/* The value of "?NAME=VALUE" in the address; NULL where it is not there. */
const char *server__query(const struct http_request *request, const char *name);
/* The page does not hold all that there is: said in the answer's header X-Truncated. */
void server__truncated(struct http_request *request);

enum server_ready {
	HTTP_READY,
	HTTP_NOT_YET, /* `wake` follows */
	HTTP_BROKEN,  /* after a message */
};

/* What a page without an end is read from. All but `wake` are called by the server's thread. */
struct server_stream {
	/*
	 * A reader for one client; NULL where there are too many. `wake` is to be called with `who`, from any thread,
	 * when there is something again after ready() or read() had nothing. Not after close() has returned.
	 */
	void *(*open)(void *context, void (*wake)(void *who), void *who);
	enum server_ready (*ready)(void *reader);
	/* Bytes written to `to`; 0: nothing now; -1: the end. */
	ssize_t (*read)(void *reader, char *to, size_t size);
	void (*close)(void *reader);
	unsigned most; /* readers at once, beside those that are being sent away */
};

/* What stands packed in the program: gzip, from its first byte up to `end`. */
struct server_file {
	const unsigned char *gzip, *end;
};

struct server_page {
	const char *path;
	const char *type; /* Content-Type. Of several rows with the same path the client chooses; the first one else */
	/*
	 * Writes the page anew for each request; never called twice at once. Returns 0; -1 after a message, which makes
	 * it a 500; or a status from 400 on, whose reason it has written in place of the page.
	 */
	int (*write)(FILE *out, void *context, struct http_request *request);
	const struct server_stream *stream; /* in place of `write` */
	const struct server_file *file;	    /* likewise */
};

struct http;

/* Whether the options go together; false after a message. */
bool server__check(const struct server_options *options);
/*
 * Reads the files that it serves with, and listens: all that may need rights. -1 after a message where a file cannot be
 * used. An address that is taken or absent is no failure: a warning says so, and server__tick() tries again.
 */
int server__open(struct http **http, const struct server_options *options);
/* Serves, in a thread that it starts, as soon as it listens. `pages` and `context` must outlive the server. */
void server__serve(struct http *http, const struct server_page *pages, size_t count, void *context);
/* Once a second: listens where it could not before, and answers requests whose refusal was delayed. */
void server__tick(struct http *http);
/* Why it does not serve, "cannot listen on 127.0.0.1:9798: ..."; NULL where it does. */
const char *server__why_not(const struct http *http);
/* Accepts nothing more, gives answers under way a second to end, and frees. Streams must end by themselves before.
 * Accepts NULL. */
void server__stop(struct http *http);

#endif
