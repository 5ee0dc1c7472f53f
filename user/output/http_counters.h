/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of struct http_count, for everything that shows its numbers.
 */
#ifndef SYNWARDEN_OUTPUT_HTTP_COUNTERS_H
#define SYNWARDEN_OUTPUT_HTTP_COUNTERS_H

#include "http.h"

/* As labels and JSON names: "2xx", "unanswered"; "http1"; "client". */
const char *http_counters__class(enum http_class class);
const char *http_counters__carries(enum http_carries carries);
const char *http_counters__protocol(enum protocol protocol); /* NULL: unknown */
const char *http_counters__closer(enum http_closer closer);

#endif
