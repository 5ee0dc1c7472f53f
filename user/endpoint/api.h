/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON pages of the HTTP endpoint. Each returns what a page's write() returns; see server/server.h.
 */
#ifndef SYNWARDEN_ENDPOINT_API_H
#define SYNWARDEN_ENDPOINT_API_H

#include <stdio.h>

#include "endpoint/history.h"
#include "kernel/programs.h"
#include "kernel/snapshot.h"
#include "output/event_log.h"
#include "server/server.h"

/* As `synwarden status --json`; "?ports=moving": without ports of which nothing has changed for some seconds. */
int api__status(FILE *out, const struct snapshot *snapshot, struct http_request *request);
/* As `synwarden list --json`, in an array; "?limit=N" of them. */
int api__lists(FILE *out, const struct maps *maps, struct http_request *request);
/* As `synwarden events --json`, in an array, the last one first; "?limit=N" of them. */
int api__events(FILE *out, struct event_log *log, struct http_request *request);
/* Open connections of this network namespace as `synwarden conns --open --json`, in an array; "?limit=N" of them;
 * "?port=N": with that local port; "?state=LISTEN": listeners alone. */
int api__conns(FILE *out, struct programs *programs, struct http_request *request);
/* "?port=N": the addresses of this host that are known to be served on it. */
int api__port(FILE *out, const struct maps *maps, struct http_request *request);
/* Samples of all ports over "?span=5m", 1h or 24h; or of "?port=N" over an hour. */
int api__history(FILE *out, struct history *history, const struct snapshot *snapshot, struct http_request *request);
/* As `synwarden why --json` of "?address=A&port=N". */
int api__why(FILE *out, const struct programs *programs, const struct snapshot *snapshot, struct http_request *request);

/* The value of "?port=N"; 0: it is not there. Returns 0, or 400 with the reason written. */
int api__query_port(FILE *out, struct http_request *request, uint32_t *port);

#endif
