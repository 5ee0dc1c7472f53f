// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of words, and the object that `status --json` has of them.
 */
#include <stddef.h>

#include "output/http_counters.h"

const char *http_counters__class(enum http_class class)
{
	static const char *const names[] = {"unanswered", "1xx", "2xx", "3xx", "4xx", "5xx"};

	return names[class];
}

const char *http_counters__carries(enum http_carries carries)
{
	static const char *const names[] = {
		[HTTP_CARRIES_1] = "http1", [HTTP_CARRIES_2] = "h2c", [HTTP_CARRIES_TLS] = "tls"};

	return names[carries];
}

const char *http_counters__protocol(enum protocol protocol)
{
	if (protocol == PROTOCOL_UNKNOWN)
		return NULL;
	return protocol == PROTOCOL_OTHER ? "other" : http_counters__carries(protocol - PROTOCOL_HTTP1);
}

const char *http_counters__closer(enum http_closer closer)
{
	static const char *const names[] = {[HTTP_BY_CLIENT] = "client",
					    [HTTP_BY_SERVER] = "server",
					    [HTTP_BY_RESET] = "reset",
					    [HTTP_BY_OTHER] = "other"};

	return names[closer];
}

uint64_t http_counters__requests(const struct http_count *count)
{
	uint64_t requests = 0;

	for (unsigned i = 0; i < HTTP_CLASSES; i++)
		requests += count->requests[i];
	return requests;
}

/* Each time counts in the first bucket that it is within; beyond the last bound there is one more. */
static void json_first_byte(struct json *json, const struct http_count *count)
{
	uint64_t bound_us = HTTP_FIRST_BYTE_US;

	json_object(json, "first_byte");
	json_micros(json, "sum_us", count->first_byte_ns);
	json_array(json, "buckets");
	for (unsigned i = 0; i < HTTP_FIRST_BYTE_SLOTS; i++, bound_us *= 4) {
		json_item(json);
		if (i < HTTP_FIRST_BYTE_SLOTS - 1)
			json_number(json, "within_us", bound_us);
		else
			json_null(json, "within_us");
		json_number(json, "count", count->first_byte[i]);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

void http_counters__json(struct json *json, const char *name, const struct http_count *count)
{
	json_object(json, name);
	json_object(json, "requests");
	for (unsigned i = 0; i < HTTP_CLASSES; i++)
		json_number(json, http_counters__class(i), count->requests[i]);
	json_close(json, '}');
	json_object(json, "connections");
	for (unsigned i = 0; i < HTTP_CARRIES_MAX; i++)
		json_number(json, http_counters__carries(i), count->connections[i]);
	json_close(json, '}');
	json_object(json, "closed");
	for (unsigned i = 0; i < HTTP_CLOSERS; i++)
		json_number(json, http_counters__closer(i), count->closed[i]);
	json_close(json, '}');
	json_first_byte(json, count);
	json_number(json, "pipelined", count->pipelined);
	json_close(json, '}');
}
