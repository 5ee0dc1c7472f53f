// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request line is one that ends with the version: other protocols have words in capitals, too. A line of which a part
 * was not captured, or came in another segment, is not known to be one.
 */
#include <string.h>

#include "segments/http_line.h"
#include "segments/http_reader.h"

#define SUFFIX	     " HTTP/1."
#define SUFFIX_BYTES (sizeof(SUFFIX "1") - 1)

/* The length of the line without its end; 0: it has none. */
static size_t line_length(const uint8_t *payload, size_t len)
{
	const uint8_t *end = memchr(payload, '\n', len);

	if (!end || end == payload)
		return 0;
	return end - payload - (end[-1] == '\r');
}

static size_t request_length(const uint8_t *payload, size_t len)
{
	size_t length = http_reader__may_begin(payload, len, false) ? line_length(payload, len) : 0;

	if (length < SUFFIX_BYTES || memcmp(payload + length - SUFFIX_BYTES, SUFFIX, SUFFIX_BYTES - 1))
		return 0;
	return length;
}

/* Appends characters that a terminal shows, as far as there is room. */
static void append(char line[HTTP_LINE_BYTES], size_t *filled, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (*filled == HTTP_LINE_BYTES - 1) {
			memcpy(line + HTTP_LINE_BYTES - sizeof("..."), "...", sizeof("..."));
			return;
		}
		line[(*filled)++] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	}
}

static void read_request(char line[HTTP_LINE_BYTES], const uint8_t *payload, size_t length)
{
	const uint8_t *query = memchr(payload, '?', length);
	size_t filled = 0, before = query ? (size_t)(query - payload) : length;

	if (before > length - SUFFIX_BYTES)
		before = length;
	append(line, &filled, payload, before);
	if (before == length)
		return;
	append(line, &filled, (const uint8_t *)"?...", 4);
	append(line, &filled, payload + length - SUFFIX_BYTES, SUFFIX_BYTES);
}

void http_line__read(char line[HTTP_LINE_BYTES], const uint8_t *payload, size_t len)
{
	size_t filled = 0, length = request_length(payload, len);

	memset(line, 0, HTTP_LINE_BYTES);
	if (length)
		read_request(line, payload, length);
	else if (http_reader__may_begin(payload, len, true))
		append(line, &filled, payload, line_length(payload, len));
}
