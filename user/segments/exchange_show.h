/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What exchange.h finds, as lines of text and as JSON, on stdout.
 */
#ifndef SYNWARDEN_SEGMENTS_EXCHANGE_SHOW_H
#define SYNWARDEN_SEGMENTS_EXCHANGE_SHOW_H

#include "segments/exchange.h"

struct exchange_layout;

/* The columns for a terminal of `width` columns; UINT_MAX: there is no terminal. */
const struct exchange_layout *exchange_text__layout(unsigned width);
void exchange_text__header(const struct exchange_layout *layout);

/* `realtime_ns`: about->event.time_ns since the epoch. `width`: the line is cut there. */
struct exchange_line {
	const struct exchange_layout *layout;
	unsigned width;
	uint64_t realtime_ns;
};
void exchange_text__request(const struct exchange_line *to, const struct http_about *about,
			    const struct http_request *request, const struct http_end *end);
void exchange_text__tls(const struct exchange_line *to, const struct http_about *about, const struct http_hello *hello);
void exchange_text__http2(const struct exchange_line *to, const struct http_about *about);
void exchange_text__closed(const struct exchange_line *to, const struct http_about *about, const struct http_end *end);

void exchange_json__request(uint64_t realtime_ns, const struct http_about *about, const struct http_request *request,
			    const struct http_end *end);
void exchange_json__tls(uint64_t realtime_ns, const struct http_about *about, const struct http_hello *hello);
void exchange_json__http2(uint64_t realtime_ns, const struct http_about *about);
void exchange_json__closed(uint64_t realtime_ns, const struct http_about *about, const struct http_end *end);

/* "client", "server"; "reset": of unknown side. NULL: a time-out, or it was killed. */
const char *exchange_words__closed_by(const struct http_about *about, const struct http_end *end);
bool exchange_words__is_reset(const struct http_end *end);
/* The time from the request's last byte to the answer's first; DURATION_UNKNOWN. */
uint64_t exchange_words__first_byte(const struct http_request *request);
/* From the request's first byte to the answer's last, or to the end of the connection. */
uint64_t exchange_words__total(const struct http_request *request);

#endif
