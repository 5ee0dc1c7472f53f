/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON pages of the HTTP endpoint. Each returns what a page's write() returns; see http.h.
 */
#ifndef SYNWARDEN_API_H
#define SYNWARDEN_API_H

#include <stdio.h>

#include "guard.h"
#include "http.h"
#include "snapshot.h"

/* As `synwarden status --json`. */
int api__status(FILE *out, const struct snapshot *snapshot);
/* As `synwarden list --json`, in an array; "?limit=N" of them. */
int api__lists(FILE *out, const struct maps *maps, struct http_request *request);
/* What lives in this network namespace as `synwarden conns --open --json` tells it, in an array; "?limit=N" of them. */
int api__conns(FILE *out, struct guard *guard, struct http_request *request);

#endif
