/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the server share: the server itself, and a request. For this module only.
 */
#ifndef SYNWARDEN_SERVER_HTTP_H
#define SYNWARDEN_SERVER_HTTP_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "server/auth.h"
#include "server/clients.h"
#include "server/server.h"
#include "server/tls.h"

#define HTTP_WHY_LEN 192

struct http {
	struct server_options options;
	int socket;		    /* that listens, until the daemon has it; -1: none */
	char why_not[HTTP_WHY_LEN]; /* it does not listen; "" where it does */
	struct MHD_Daemon *daemon;  /* NULL: it does not serve */
	const struct server_page *pages;
	size_t count;
	void *context;
	struct tls tls;
	struct auth *auth; /* NULL: no password is asked for */
	struct clients clients;
	size_t held;	  /* bytes of pages that clients have not fetched yet */
	atomic_uint busy; /* answers under way; keep-alive connections that wait are not */
};

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	struct client *client;
	const struct server_page *page;
	void *reader;	  /* of the page's stream */
	unsigned refusal; /* the status of a refusal that is delayed; 0: none */
	bool head;	  /* without a body */
	bool truncated;
};

/* Refuses a request that names another host, or no user: false, and *queued is the library's answer to its callback. */
bool admission__check(struct http_request *request, enum MHD_Result *queued);

/* Callbacks of libmicrohttpd, with the server as their context. */
enum MHD_Result server__answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *body, size_t *body_size, void **request);
void server__answered(void *context, struct MHD_Connection *connection, void **request,
		      enum MHD_RequestTerminationCode how);

#endif
