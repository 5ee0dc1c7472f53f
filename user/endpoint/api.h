/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON pages of the HTTP endpoint. Each returns what a page's write() returns; see server/server.h.
 */
#ifndef SYNWARDEN_ENDPOINT_API_H
#define SYNWARDEN_ENDPOINT_API_H

#include <stdio.h>

#include "kernel/programs.h"
#include "kernel/snapshot.h"
#include "output/event_log.h"
#include "server/server.h"

/* As `synwarden status --json`. */
int api__status(FILE *out, const struct snapshot *snapshot);
/* As `synwarden list --json`, in an array; "?limit=N" of them. */
int api__lists(FILE *out, const struct maps *maps, struct http_request *request);
/* As `synwarden events --json`, in an array, the last one first; "?limit=N" of them. */
int api__events(FILE *out, struct event_log *log, struct http_request *request);
/* Open connections of this network namespace as `synwarden conns --open --json`, in an array; "?limit=N" of them. */
int api__conns(FILE *out, struct programs *programs, struct http_request *request);

#endif
