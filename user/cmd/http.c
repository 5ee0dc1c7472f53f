// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden http: HTTP requests on TCP connections, live, as this machine's sockets send and receive them.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "output/columns.h"
#include "segments/exchange.h"
#include "segments/exchange_show.h"
#include "stream/filter.h"
#include "stream/follow.h"
#include "system/clock.h"
#include "system/privileges.h"
#include "text/colour.h"
#include "text/log.h"

#define UNANSWERED 6 /* of the choices */

struct http_options {
	struct filter_options filter;
	uint32_t status; /* of the choices: 0 any, 1 to 5 the status's first digit */
	uint32_t slow_ms;
	bool connections;
	struct stream_options stream;
};

static const struct option_row rows[] = {
	FILTER_ROWS(struct http_options, filter),
	{"status", 's', OPTION_CHOICE, 0, 0, "any|1xx|2xx|3xx|4xx|5xx|unanswered",
	 offsetof(struct http_options, status),
	 .help = "requests with such an answer, or with none before their connection ended"},
	{"slow", 0, OPTION_NUMBER, 1, 86400000, "MS", offsetof(struct http_options, slow_ms),
	 .help = "requests that took MS milliseconds or more"},
	{"connections", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct http_options, connections),
	 .help = "a line a connection, when it closes, and none a request"},
	STREAM_ROWS(struct http_options, stream, "stop by itself", "stop after N lines"),
};

static const struct option_table table = {
	.command = "http",
	.arguments = "",
	.summary = "Prints HTTP/1.x requests and their answers, live, on both ends of connections that are on this "
		   "machine, "
		   "in all network namespaces. Of TLS and HTTP/2 it shows only that they are spoken. ~ marks what is "
		   "inferred, < an upper and > a lower bound. Queries and credentials are neither shown nor kept.",
	.examples = "  synwarden http --port 80 --status 5xx\n"
		    "  synwarden http --slow 1000\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
};

struct http {
	struct stream stream;
	struct http_options options;
	struct exchanges *exchanges;
	const struct exchange_layout *layout;
	unsigned width;
	uint64_t lost;
};

static struct exchange_line line_of(const struct http *http, const struct http_about *about)
{
	return (struct exchange_line){
		.layout = http->layout,
		.width = http->width,
		.realtime_ns = events__realtime(http->stream.tracker.events, about->event.time_ns),
	};
}

/* Whether one more is to be printed of this connection. */
static bool is_wanted(struct http *http, const struct http_about *about)
{
	struct event event = about->event;

	if (follow__is_full(&http->stream))
		return false;
	if (about->is_server)
		owners__resolve_accepted(http->stream.tracker.owners, &event);
	return filter__matches(&http->options.filter, &event);
}

static bool is_wanted_request(const struct http_options *options, const struct http_request *request)
{
	if (options->connections || exchange_words__total(request) < options->slow_ms * 1000000ULL)
		return false;
	if (options->status == UNANSWERED)
		return !request->status;
	return !options->status || request->status / 100 == (int)options->status;
}

static void on_request(void *context, const struct http_about *about, const struct http_request *request,
		       const struct http_end *end)
{
	struct http *http = context;
	struct exchange_line line = line_of(http, about);

	if (!is_wanted_request(&http->options, request) || !is_wanted(http, about))
		return;
	if (http->stream.options.json)
		exchange_json__request(line.realtime_ns, about, request, end);
	else
		exchange_text__request(&line, about, request, end);
	follow__printed(&http->stream);
}

/* Whether lines are printed that are of no request. */
static bool shows_connections(const struct http_options *options)
{
	return options->connections || (!options->status && !options->slow_ms);
}

static void on_tls(void *context, const struct http_about *about, const struct http_hello *hello)
{
	struct http *http = context;
	struct exchange_line line = line_of(http, about);

	if (!shows_connections(&http->options) || !is_wanted(http, about))
		return;
	if (http->stream.options.json)
		exchange_json__tls(line.realtime_ns, about, hello);
	else
		exchange_text__tls(&line, about, hello);
	follow__printed(&http->stream);
}

static void on_http2(void *context, const struct http_about *about)
{
	struct http *http = context;
	struct exchange_line line = line_of(http, about);

	if (!shows_connections(&http->options) || !is_wanted(http, about))
		return;
	if (http->stream.options.json)
		exchange_json__http2(line.realtime_ns, about);
	else
		exchange_text__http2(&line, about);
	follow__printed(&http->stream);
}

static void on_closed(void *context, const struct http_about *about, const struct http_end *end)
{
	struct http *http = context;
	struct exchange_line line = line_of(http, about);

	if (!shows_connections(&http->options) || !is_wanted(http, about))
		return;
	if (http->stream.options.json)
		exchange_json__closed(line.realtime_ns, about, end);
	else
		exchange_text__closed(&line, about, end);
	follow__printed(&http->stream);
}

/* STREAM_HTTP: a piece, or the beginning of a struct life. */
static void on_event(void *context, const struct event *event)
{
	struct http *http = context;

	if (event->what == RING_HTTP)
		exchange__piece(http->exchanges, (const struct http_piece *)event);
	else
		exchange__closed(http->exchanges, (const struct life *)event);
}

static void tell_lost(struct http *http)
{
	uint64_t lost = exchange__lost(http->exchanges);

	if (lost > http->lost)
		log_warn("%lu connections, or their first data, were forgotten: too many at once", lost - http->lost);
	http->lost = lost;
}

/* Prints a header, and a new one where the terminal was resized. */
static void fit_terminal(void *context)
{
	struct http *http = context;
	const struct exchange_layout *layout;

	tell_lost(http);
	http->width = columns__width();
	layout = exchange_text__layout(http->width);
	if (http->stream.options.json || layout == http->layout)
		return;
	http->layout = layout;
	exchange_text__header(layout);
}

static int attach(struct http *http)
{
	bool whole;

	if (programs__attach_http(http->stream.tracker.programs, &whole))
		return -1;
	if (!whole)
		log_warn("the cgroup hierarchy that is mounted here is a container's: connections of processes outside "
			 "are not seen");
	return privileges__drop_all();
}

static int follow(struct http *http)
{
	struct config config = {.stream = STREAM_HTTP};
	int ret = 1;

	filter__set(&config.filter, &http->options.filter);
	if (!follow__open(&http->stream, &config,
			  PROGRAMS_TRACKER | PROGRAMS_OWNERS | PROGRAMS_READERS | PROGRAMS_HTTP) &&
	    !attach(http))
		ret = follow__follow(&http->stream, "following HTTP on every TCP connection until stopped");
	follow__close(&http->stream);
	return ret;
}

int cmd_http(int argc, char **argv)
{
	struct http http = {.options.filter = FILTER_ALL};
	struct http_events events = {on_request, on_tls, on_http2, on_closed, &http};
	int ret = options__parse(&table, argc, argv, &http.options);

	if (ret < 0)
		return -ret;
	http.stream = (struct stream){
		.options = http.options.stream, .event = on_event, .before = fit_terminal, .context = &http};
	http.exchanges = exchange__new(&events);
	if (!http.exchanges)
		return 1;
	ret = follow(&http);
	exchange__free(http.exchanges);
	return ret;
}
