/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small HTTP server for read-only pages: GET and HEAD of a fixed table of paths, in one thread of its own.
 */
#ifndef SYNWARDEN_HTTP_H
#define SYNWARDEN_HTTP_H

#include <stddef.h>
#include <stdio.h>

#include "options.h"

struct http_page {
	const char *path;
	const char *type; /* Content-Type */
	/* Writes the page anew for each request; -1 after a message, which makes it a 500. Never called twice at once.
	 */
	int (*write)(FILE *out, void *context);
};

struct http;

/* Listens and serves. `pages` and `context` must outlive the server. -1 after a message. */
int http__start(struct http **http, const struct listen_at *at, const struct http_page *pages, size_t count,
		void *context);
/* Accepts nothing more, gives answers under way a second to end, and frees. Accepts NULL. */
void http__stop(struct http *http);

#endif
