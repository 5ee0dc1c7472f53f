// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, and the ends of connections, as JSON: an object each.
 */
#include <stdio.h>

#include "output/columns.h"
#include "segments/exchange_show.h"
#include "text/names.h"
#include "text/print.h"

static void begin(struct json *json, const char *kind, uint64_t realtime_ns, const struct http_about *about)
{
	char ts[PRINT_TIME_LEN];

	json_begin(json, stdout);
	json_label(json, "kind", kind);
	json_label(json, "ts", print_time(ts, realtime_ns));
	columns__json_socket(json, &about->event);
	columns__json_owner(json, &about->event);
	json_label(json, "role", about->is_server ? "server" : "client");
}

static void put_text(struct json *json, const char *name, const char *text)
{
	json_string(json, name, *text ? text : NULL);
}

static void put_answer(struct json *json, const struct http_request *request)
{
	static const char *const known[] = {"exact", "chunked", "at_most"};

	if (request->status)
		json_number(json, "status", request->status);
	else
		json_null(json, "status");
	json_number(json, "request_bytes", request->bytes);
	json_number(json, "response_bytes", request->answer_bytes);
	json_bool(json, "bytes_exact", request->known != HTTP_KNOWN_AT_MOST || request->is_cut);
	json_micros(json, "first_byte_us", exchange_words__first_byte(request));
	json_micros(json, "duration_us", exchange_words__total(request));
	json_label(json, "duration_known", known[request->known]);
	json_bool(json, "pipelined", request->pipelined);
}

static void put_end(struct json *json, const struct http_about *about, const struct http_end *end)
{
	json_string(json, "closed_by", exchange_words__closed_by(about, end));
	json_label(json, "reason", print_ending(end->ending));
}

void exchange_json__request(uint64_t realtime_ns, const struct http_about *about, const struct http_request *request,
			    const struct http_end *end)
{
	char version[8];
	struct json json;

	begin(&json, "request", realtime_ns, about);
	if (request->is_unseen)
		json_null(&json, "n");
	else
		json_number(&json, "n", request->number);
	json_bool(&json, "n_at_least", about->at_least);
	put_text(&json, "method", request->head.method);
	put_text(&json, "host", request->head.host);
	put_text(&json, "path", request->head.path);
	json_bool(&json, "truncated", request->head.cut);
	snprintf(version, sizeof(version), "%u.%u", request->head.major, request->head.minor);
	json_label(&json, "version", version);
	put_answer(&json, request);
	json_bool(&json, "answered", request->status);
	json_bool(&json, "cut", request->is_cut);
	if (end)
		put_end(&json, about, end);
	json_end(&json);
}

void exchange_json__tls(uint64_t realtime_ns, const struct http_about *about, const struct http_hello *hello)
{
	struct json json;

	begin(&json, "tls", realtime_ns, about);
	put_text(&json, "server_name", hello->name);
	put_text(&json, "alpn", hello->alpn);
	json_end(&json);
}

void exchange_json__http2(uint64_t realtime_ns, const struct http_about *about)
{
	struct json json;

	begin(&json, "http2", realtime_ns, about);
	json_end(&json);
}

void exchange_json__closed(uint64_t realtime_ns, const struct http_about *about, const struct http_end *end)
{
	struct json json;

	begin(&json, "end", realtime_ns, about);
	json_number(&json, "requests", about->requests);
	json_bool(&json, "requests_at_least", about->at_least);
	json_number(&json, "answered", about->answered);
	json_number(&json, "pipelined", about->pipelined);
	json_micros(&json, "duration_us", end->existed ? DURATION_UNKNOWN : end->age_ns);
	if (end->existed)
		json_micros(&json, "duration_at_least_us", end->age_ns);
	put_end(&json, about, end);
	json_end(&json);
}
