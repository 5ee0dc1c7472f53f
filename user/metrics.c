// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the HTTP endpoint: the dashboard, the metrics, what programs ask for as JSON, streams, a sign of life.
 */
#include <stdlib.h>

#include "api.h"
#include "feed.h"
#include "history.h"
#include "log.h"
#include "metrics.h"
#include "web.h"

struct metrics {
	struct http *http;
	struct feed *transitions, *endings;
	struct history *history;
	struct guard *guard;
	struct snapshot snapshot; /* one will do: pages are never written two at once */
};

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

static int write_history(FILE *out, void *context, struct http_request *request)
{
	const struct metrics *metrics = context;

	(void)request;
	history__json(out, metrics->history);
	return 0;
}

static void *open_transitions(void *context, void (*wake)(void *who), void *who)
{
	const struct metrics *metrics = context;

	return feed__open(metrics->transitions, wake, who);
}

static void *open_endings(void *context, void (*wake)(void *who), void *who)
{
	const struct metrics *metrics = context;

	return feed__open(metrics->endings, wake, who);
}

static const struct http_stream transitions = {open_transitions, feed__ready, feed__read, feed__close};
static const struct http_stream endings = {open_endings, feed__ready, feed__read, feed__close};

static const struct http_page pages[] = {
	{"/healthz", "text/plain; charset=utf-8", write_health, NULL, NULL},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_text, NULL, NULL},
	{"/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", write_openmetrics, NULL, NULL},
	{"/api/status", "application/json", write_status, NULL, NULL},
	{"/api/history", "application/json", write_history, NULL, NULL},
	{"/api/conns", "application/json", write_conns, NULL, NULL},
	{"/api/lists", "application/json", write_lists, NULL, NULL},
	{"/events", "text/event-stream", NULL, &transitions, NULL},
	{"/ended", "text/event-stream", NULL, &endings, NULL},
#define X(name, path, file, type) {path, type, NULL, NULL, &web__files[WEB_##name]},
	WEB_FILES(X)
#undef X
};

int metrics__open(struct metrics **metrics, const struct http_options *options)
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
	if (!new->history || http__open(&new->http, options)) {
		metrics__stop(new);
		return -1;
	}
	*metrics = new;
	return 0;
}

int metrics__serve(struct metrics *metrics, struct guard *guard)
{
	if (!metrics)
		return 0;
	metrics->guard = guard;
	if (feed__start(&metrics->transitions, STREAM_EVENTS, FEED_LINGER) ||
	    feed__start(&metrics->endings, STREAM_LIVES, FEED_LINGER))
		return -1;
	return http__serve(metrics->http, pages, sizeof(pages) / sizeof(pages[0]), metrics);
}

void metrics__note(struct metrics *metrics, const struct snapshot *snapshot)
{
	if (metrics)
		history__add(metrics->history, snapshot);
}

void metrics__stop(struct metrics *metrics)
{
	if (!metrics)
		return;
	feed__stop(metrics->transitions);
	feed__stop(metrics->endings);
	http__stop(metrics->http);
	feed__free(metrics->transitions);
	feed__free(metrics->endings);
	history__free(metrics->history);
	free(metrics);
}
