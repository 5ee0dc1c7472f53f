/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of struct http_count, and its sums, for everything that shows its numbers.
 */
#ifndef SYNWARDEN_OUTPUT_HTTP_COUNTERS_H
#define SYNWARDEN_OUTPUT_HTTP_COUNTERS_H

#include "http.h"
#include "text/json.h"

/* As labels and JSON names: "2xx", "unanswered"; "http1"; "client". */
const char *http_counters__class(enum http_class class);
const char *http_counters__carries(enum http_carries carries);
const char *http_counters__protocol(enum protocol protocol); /* NULL: unknown */
const char *http_counters__closer(enum http_closer closer);

/* Of all classes, the unanswered ones among them. */
uint64_t http_counters__requests(const struct http_count *count);
/* As an object: requests by class, connections by what they carry and by who closed them, times to the first byte. */
void http_counters__json(struct json *json, const char *name, const struct http_count *count);

#endif
