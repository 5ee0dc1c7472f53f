// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics of HTTP, which are there while `run --http on` is. Labels are the port and words of fixed tables: no
 * method, host, path or address.
 */
#include <inttypes.h>

#include "endpoint/metrics_parts.h"
#include "output/http_counters.h"

#define PORT_LEN 16

static const unsigned request_bounds[] = HTTP_REQUEST_BOUNDS;

/* "80", "other", or "client" for the requests that this host sends. */
static const struct http_count *count_of(const struct snapshot *s, size_t i, char port[PORT_LEN])
{
	if (i == s->port_count) {
		snprintf(port, PORT_LEN, "client");
		return &s->http_client;
	}
	if (s->ports[i].port)
		snprintf(port, PORT_LEN, "%u", s->ports[i].port);
	else
		snprintf(port, PORT_LEN, "other");
	return &s->ports[i].http;
}

/* Calls `render` for each port, and for "client". */
static void each_port(FILE *out, const struct snapshot *s,
		      void (*render)(FILE *out, const char *port, const struct http_count *count))
{
	char port[PORT_LEN];

	for (size_t i = 0; i <= s->port_count; i++) {
		const struct http_count *count = count_of(s, i, port);

		render(out, port, count);
	}
}

static void render_requests(FILE *out, const char *port, const struct http_count *count)
{
	for (unsigned i = 0; i < HTTP_CLASSES; i++)
		fprintf(out, PREFIX "http_requests_total{port=\"%s\",status_class=\"%s\"} %" PRIu64 "\n", port,
			http_counters__class(i), (uint64_t)count->requests[i]);
}

static void render_connections(FILE *out, const char *port, const struct http_count *count)
{
	for (unsigned i = 0; i < HTTP_CARRIES_MAX; i++)
		fprintf(out, PREFIX "http_connections_total{port=\"%s\",kind=\"%s\"} %" PRIu64 "\n", port,
			http_counters__carries(i), (uint64_t)count->connections[i]);
}

static void render_pipelined(FILE *out, const char *port, const struct http_count *count)
{
	fprintf(out, PREFIX "http_pipelined_total{port=\"%s\"} %" PRIu64 "\n", port, (uint64_t)count->pipelined);
}

static void render_closed(FILE *out, const char *port, const struct http_count *count)
{
	for (unsigned i = 0; i < HTTP_CLOSERS; i++)
		fprintf(out, PREFIX "http_closed_total{port=\"%s\",by=\"%s\"} %" PRIu64 "\n", port,
			http_counters__closer(i), (uint64_t)count->closed[i]);
}

static void render_per_connection(FILE *out, const char *port, const struct http_count *count)
{
	uint64_t sum = 0;
	char le[16];

	for (unsigned i = 0; i < HTTP_REQUEST_SLOTS; i++) {
		sum += count->per_connection[i];
		snprintf(le, sizeof(le), "%u.0", i < HTTP_REQUEST_SLOTS - 1 ? request_bounds[i] : 0);
		fprintf(out, PREFIX "http_requests_per_connection_bucket{port=\"%s\",le=\"%s\"} %" PRIu64 "\n", port,
			i < HTTP_REQUEST_SLOTS - 1 ? le : "+Inf", sum);
	}
	fprintf(out,
		PREFIX "http_requests_per_connection_sum{port=\"%s\"} %" PRIu64 "\n" PREFIX
		       "http_requests_per_connection_count{port=\"%s\"} %" PRIu64 "\n",
		port, (uint64_t)count->ended_requests, port, sum);
}

static void render_first_byte(FILE *out, const char *port, const struct http_count *count)
{
	uint64_t sum = 0, bound_us = HTTP_FIRST_BYTE_US, ns = count->first_byte_ns;
	char le[24];

	for (unsigned i = 0; i < HTTP_FIRST_BYTE_SLOTS; i++, bound_us *= 4) {
		sum += count->first_byte[i];
		snprintf(le, sizeof(le), "%" PRIu64 ".%06" PRIu64, bound_us / 1000000, bound_us % 1000000);
		fprintf(out, PREFIX "http_first_byte_seconds_bucket{port=\"%s\",le=\"%s\"} %" PRIu64 "\n", port,
			i < HTTP_FIRST_BYTE_SLOTS - 1 ? le : "+Inf", sum);
	}
	fprintf(out,
		PREFIX "http_first_byte_seconds_sum{port=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n" PREFIX
		       "http_first_byte_seconds_count{port=\"%s\"} %" PRIu64 "\n",
		port, ns / 1000000000, ns % 1000000000, port, sum);
}

void metrics__http(const struct exposition *to, const struct snapshot *s)
{
	metrics__family(
		to, "http_requests_total", "counter",
		"HTTP/1.x requests by listening port (client: sent by this host) and class of the answer's status; a "
		"lower bound where http_pipelined_total rises. With --http on, as all metrics of HTTP.");
	each_port(to->out, s, render_requests);
	metrics__family(to, "http_connections_total", "counter",
			"Connections by what they carry: HTTP/1.x, HTTP/2 in cleartext, TLS.");
	each_port(to->out, s, render_connections);
	metrics__family(to, "http_requests_per_connection", "histogram",
			"Requests that an HTTP/1.x connection carried, when it ends.");
	each_port(to->out, s, render_per_connection);
	metrics__family(to, "http_first_byte_seconds", "histogram",
			"From the last segment of a request to the first byte of its answer.");
	each_port(to->out, s, render_first_byte);
	metrics__family(
		to, "http_pipelined_total", "counter",
		"Answers that followed another one while the client sent nothing: their requests were sent ahead, and "
		"those that shared a segment are not in http_requests_total.");
	each_port(to->out, s, render_pipelined);
	metrics__family(to, "http_closed_total", "counter",
			"HTTP/1.x connections that ended, by the side that closed first; other: neither did.");
	each_port(to->out, s, render_closed);
}
