// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the HTTP endpoint: the metrics, what programs ask for as JSON, a sign of life, and an index.
 */
#include <stdlib.h>

#include "api.h"
#include "feed.h"
#include "log.h"
#include "metrics.h"

struct metrics {
	struct http *http;
	struct feed *feed;
	struct guard *guard;
	struct snapshot snapshot; /* one will do: pages are never written two at once */
};

static int write_index(FILE *out, void *context, struct http_request *request)
{
	(void)context, (void)request;
	fputs("<!doctype html>\n"
	      "<html lang=\"en\">\n"
	      "<meta charset=\"utf-8\">\n"
	      "<title>synwarden</title>\n"
	      "<h1>synwarden " VERSION "</h1>\n"
	      "<p>SYN-flood filter and TCP connection tracker.</p>\n"
	      "<ul>\n"
	      "<li><a href=\"metrics\">/metrics</a>: packets, handshakes and TCP states, for Prometheus\n"
	      "<li><a href=\"api/status\">/api/status</a>: one snapshot of the filter, as JSON\n"
	      "<li><a href=\"api/conns\">/api/conns</a>: the connections that live, as JSON\n"
	      "<li><a href=\"api/lists\">/api/lists</a>: the allow and the block list, as JSON\n"
	      "<li><a href=\"events\">/events</a>: state transitions as they happen, as Server-Sent Events\n"
	      "<li><a href=\"healthz\">/healthz</a>: \"ok\" while synwarden runs\n"
	      "</ul>\n"
	      "</html>\n",
	      out);
	return 0;
}

static int write_health(FILE *out, void *context, struct http_request *request)
{
	(void)context, (void)request;
	fputs("ok\n", out);
	return 0;
}

static int read_snapshot(struct metrics *metrics)
{
	return snapshot__read(&metrics->snapshot, guard__maps(metrics->guard));
}

static int write_text(FILE *out, void *context, struct http_request *request)
{
	struct metrics *metrics = context;

	(void)request;
	if (read_snapshot(metrics))
		return -1;
	metrics__render(out, &metrics->snapshot, METRICS_TEXT);
	return 0;
}

static int write_openmetrics(FILE *out, void *context, struct http_request *request)
{
	struct metrics *metrics = context;

	(void)request;
	if (read_snapshot(metrics))
		return -1;
	metrics__render(out, &metrics->snapshot, METRICS_OPENMETRICS);
	return 0;
}

static int write_status(FILE *out, void *context, struct http_request *request)
{
	struct metrics *metrics = context;

	(void)request;
	return read_snapshot(metrics) ? -1 : api__status(out, &metrics->snapshot);
}

static int write_lists(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__lists(out, guard__maps(metrics->guard), request);
}

static int write_conns(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__conns(out, metrics->guard, request);
}

static void *open_feed(void *context, void (*wake)(void *who), void *who)
{
	const struct metrics *metrics = context;

	return feed__open(metrics->feed, wake, who);
}

static const struct http_stream events = {open_feed, feed__ready, feed__read, feed__close};

static const struct http_page pages[] = {
	{"/", "text/html; charset=utf-8", write_index, NULL},
	{"/healthz", "text/plain; charset=utf-8", write_health, NULL},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_text, NULL},
	{"/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", write_openmetrics, NULL},
	{"/api/status", "application/json", write_status, NULL},
	{"/api/conns", "application/json", write_conns, NULL},
	{"/api/lists", "application/json", write_lists, NULL},
	{"/events", "text/event-stream", NULL, &events},
};

int metrics__start(struct metrics **metrics, const struct http_options *options, struct guard *guard)
{
	struct metrics *new;

	*metrics = NULL;
	if (options->at.off)
		return 0;
	new = calloc(1, sizeof(*new));
	if (!new) {
		log_error("cannot serve metrics: out of memory");
		return -1;
	}
	new->guard = guard;
	if (feed__start(&new->feed) || http__start(&new->http, options, pages, sizeof(pages) / sizeof(pages[0]), new)) {
		metrics__stop(new);
		return -1;
	}
	*metrics = new;
	return 0;
}

void metrics__stop(struct metrics *metrics)
{
	if (!metrics)
		return;
	feed__stop(metrics->feed);
	http__stop(metrics->http);
	feed__free(metrics->feed);
	free(metrics);
}
