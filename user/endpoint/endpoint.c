// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the HTTP endpoint: the dashboard, the metrics, JSON for programs, streams, a health check.
 */
#include <stdlib.h>

#include "endpoint/api.h"
#include "endpoint/dashboard.h"
#include "endpoint/endpoint.h"
#include "endpoint/feed.h"
#include "endpoint/feed_readers.h"
#include "endpoint/history.h"
#include "endpoint/names.h"
#include "text/log.h"

struct metrics {
	struct http *http;
	struct feed *transitions, *endings;
	struct history *history;
	struct programs *programs;
	struct event_log *log;
	struct snapshot snapshot; /* one is enough: pages are never written concurrently */
};

static int write_health(FILE *out, void *context, struct http_request *request)
{
	(void)context, (void)request;
	fputs("ok\n", out);
	return 0;
}

static int write_names(FILE *out, void *context, struct http_request *request)
{
	(void)context, (void)request;
	names__write(out);
	return 0;
}

static int read_snapshot(struct metrics *metrics)
{
	return snapshot__read(&metrics->snapshot, programs__maps(metrics->programs));
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

	return read_snapshot(metrics) ? -1 : api__status(out, &metrics->snapshot, request);
}

static int write_lists(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__lists(out, programs__maps(metrics->programs), request);
}

static int write_events(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__events(out, metrics->log, request);
}

static int write_conns(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__conns(out, metrics->programs, request);
}

static int write_history(FILE *out, void *context, struct http_request *request)
{
	struct metrics *metrics = context;

	return read_snapshot(metrics) ? -1 : api__history(out, metrics->history, &metrics->snapshot, request);
}

static int write_port(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	return api__port(out, programs__maps(metrics->programs), request);
}

static int write_why(FILE *out, void *context, struct http_request *request)
{
	struct metrics *metrics = context;

	return read_snapshot(metrics) ? -1 : api__why(out, metrics->programs, &metrics->snapshot, request);
}

static void *open_transitions(void *context, void (*wake)(void *who), void *who)
{
	const struct metrics *metrics = context;

	return feed_readers__open(metrics->transitions, wake, who);
}

static void *open_endings(void *context, void (*wake)(void *who), void *who)
{
	const struct metrics *metrics = context;

	return feed_readers__open(metrics->endings, wake, who);
}

static const struct server_stream transitions = {open_transitions, feed_readers__ready, feed_readers__read,
						 feed_readers__close, FEED_READERS};
static const struct server_stream endings = {open_endings, feed_readers__ready, feed_readers__read, feed_readers__close,
					     FEED_READERS};

static const struct server_page pages[] = {
	{"/healthz", "text/plain; charset=utf-8", write_health, NULL, NULL},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_text, NULL, NULL},
	{"/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", write_openmetrics, NULL, NULL},
	{"/api/status", "application/json", write_status, NULL, NULL},
	{"/api/history", "application/json", write_history, NULL, NULL},
	{"/api/conns", "application/json", write_conns, NULL, NULL},
	{"/api/events", "application/json", write_events, NULL, NULL},
	{"/api/lists", "application/json", write_lists, NULL, NULL},
	{"/api/port", "application/json", write_port, NULL, NULL},
	{"/api/why", "application/json", write_why, NULL, NULL},
	{"/events", "text/event-stream", NULL, &transitions, NULL},
	{"/ended", "text/event-stream", NULL, &endings, NULL},
	{"/web/names.js", "text/javascript; charset=utf-8", write_names, NULL, NULL},
#define X(name, path, file, type) {path, type, NULL, NULL, &dashboard__files[WEB_##name]},
	WEB_FILES(X)
#undef X
};

int endpoint__open(struct metrics **metrics, const struct server_options *options)
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
	new->history = history__make();
	if (!new->history || server__open(&new->http, options)) {
		endpoint__stop(new);
		return -1;
	}
	*metrics = new;
	return 0;
}

int endpoint__serve(struct metrics *metrics, struct programs *programs, struct event_log *log)
{
	if (!metrics)
		return 0;
	metrics->programs = programs;
	metrics->log = log;
	if (feed__start(&metrics->transitions, STREAM_EVENTS, FEED_LINGER) ||
	    feed__start(&metrics->endings, STREAM_LIVES, FEED_LINGER))
		return -1;
	server__serve(metrics->http, pages, sizeof(pages) / sizeof(pages[0]), metrics);
	return 0;
}

void endpoint__note(struct metrics *metrics, const struct snapshot *snapshot)
{
	if (!metrics)
		return;
	history__add(metrics->history, snapshot);
	server__tick(metrics->http);
}

const char *endpoint__why_not(const struct metrics *metrics)
{
	return metrics ? server__why_not(metrics->http) : NULL;
}

void endpoint__stop(struct metrics *metrics)
{
	if (!metrics)
		return;
	feed__stop(metrics->transitions);
	feed__stop(metrics->endings);
	server__stop(metrics->http);
	feed__free(metrics->transitions);
	feed__free(metrics->endings);
	history__free(metrics->history);
	free(metrics);
}
