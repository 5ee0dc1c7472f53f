/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first line of an HTTP/1.x message, for people: what `ladder --long` shows of a payload, and all that it does.
 */
#ifndef SYNWARDEN_SEGMENTS_HTTP_LINE_H
#define SYNWARDEN_SEGMENTS_HTTP_LINE_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_BYTES 96 /* with the zero byte */

/*
 * Reads it from a payload that begins with one; else `line` is "". A query, which may hold credentials, becomes "?...",
 * what is too long ends with "...", and what is not printable ASCII becomes '?'.
 */
void http_line__read(char line[HTTP_LINE_BYTES], const uint8_t *payload, size_t len);

#endif
