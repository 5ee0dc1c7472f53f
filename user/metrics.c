// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the HTTP endpoint: the metrics, a sign of life, and an index.
 */
#include <stdlib.h>

#include "http.h"
#include "log.h"
#include "metrics.h"

struct metrics {
	struct http *http;
	struct maps maps;
	struct snapshot snapshot; /* one will do: pages are never written two at once */
};

static int write_index(FILE *out, void *context)
{
	(void)context;
	fputs("<!doctype html>\n"
	      "<html lang=\"en\">\n"
	      "<meta charset=\"utf-8\">\n"
	      "<title>synwarden</title>\n"
	      "<h1>synwarden " VERSION "</h1>\n"
	      "<p>SYN-flood filter and TCP connection tracker.</p>\n"
	      "<ul>\n"
	      "<li><a href=\"metrics\">/metrics</a>: packets, handshakes and TCP states, for Prometheus\n"
	      "<li><a href=\"healthz\">/healthz</a>: \"ok\" while synwarden runs\n"
	      "</ul>\n"
	      "</html>\n",
	      out);
	return 0;
}

static int write_health(FILE *out, void *context)
{
	(void)context;
	fputs("ok\n", out);
	return 0;
}

static int write_metrics(FILE *out, void *context)
{
	struct metrics *metrics = context;

	if (snapshot__read(&metrics->snapshot, &metrics->maps))
		return -1;
	metrics__render(out, &metrics->snapshot);
	return 0;
}

static const struct http_page pages[] = {
	{"/", "text/html; charset=utf-8", write_index},
	{"/healthz", "text/plain; charset=utf-8", write_health},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
};

int metrics__start(struct metrics **metrics, const struct listen_at *at, const struct maps *maps)
{
	struct metrics *new;

	*metrics = NULL;
	if (at->off)
		return 0;
	new = calloc(1, sizeof(*new));
	if (!new) {
		log_error("cannot serve metrics: out of memory");
		return -1;
	}
	new->maps = *maps;
	if (http__start(&new->http, at, pages, sizeof(pages) / sizeof(pages[0]), new)) {
		free(new);
		return -1;
	}
	*metrics = new;
	return 0;
}

void metrics__stop(struct metrics *metrics)
{
	if (!metrics)
		return;
	http__stop(metrics->http);
	free(metrics);
}
