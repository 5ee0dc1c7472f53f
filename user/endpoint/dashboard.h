/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of the dashboard, which the program contains compressed: user/endpoint/dashboard/, and Debian's Chart.js
 * with its licence. The Makefile compresses each into build/web/NAME.gz. names.js is not a file: see names.h.
 */
#ifndef SYNWARDEN_ENDPOINT_DASHBOARD_H
#define SYNWARDEN_ENDPOINT_DASHBOARD_H

#include "server/server.h"

/* Rows: enum name, where the endpoint serves it, file, Content-Type. */
#define WEB_FILES(X)                                                                                                   \
	X(INDEX, "/", "index.html", "text/html; charset=utf-8")                                                        \
	X(STYLE, "/web/style.css", "style.css", "text/css; charset=utf-8")                                             \
	X(STYLE_PARTS, "/web/parts.css", "parts.css", "text/css; charset=utf-8")                                       \
	X(ICON, "/web/icon.svg", "icon.svg", "image/svg+xml")                                                          \
	X(ICON_WARNING, "/web/icon-warning.svg", "icon-warning.svg", "image/svg+xml")                                  \
	X(ICON_CRITICAL, "/web/icon-critical.svg", "icon-critical.svg", "image/svg+xml")                               \
	X(ICON_UNKNOWN, "/web/icon-unknown.svg", "icon-unknown.svg", "image/svg+xml")                                  \
	X(MAIN, "/web/main.js", "main.js", "text/javascript; charset=utf-8")                                           \
	X(NET, "/web/net.js", "net.js", "text/javascript; charset=utf-8")                                              \
	X(NUMBERS, "/web/numbers.js", "numbers.js", "text/javascript; charset=utf-8")                                  \
	X(WORDS, "/web/words.js", "words.js", "text/javascript; charset=utf-8")                                        \
	X(TABLES, "/web/tables.js", "tables.js", "text/javascript; charset=utf-8")                                     \
	X(MODEL, "/web/model.js", "model.js", "text/javascript; charset=utf-8")                                        \
	X(HEADER, "/web/header.js", "header.js", "text/javascript; charset=utf-8")                                     \
	X(VERDICT, "/web/verdict.js", "verdict.js", "text/javascript; charset=utf-8")                                  \
	X(ATTENTION, "/web/attention.js", "attention.js", "text/javascript; charset=utf-8")                            \
	X(PORTS, "/web/ports.js", "ports.js", "text/javascript; charset=utf-8")                                        \
	X(PORT, "/web/port.js", "port.js", "text/javascript; charset=utf-8")                                           \
	X(PANELS, "/web/panels.js", "panels.js", "text/javascript; charset=utf-8")                                     \
	X(OVERVIEW, "/web/overview.js", "overview.js", "text/javascript; charset=utf-8")                               \
	X(CHARTS, "/web/charts.js", "charts.js", "text/javascript; charset=utf-8")                                     \
	X(MARKS, "/web/marks.js", "marks.js", "text/javascript; charset=utf-8")                                        \
	X(TIMESPAN, "/web/timespan.js", "timespan.js", "text/javascript; charset=utf-8")                               \
	X(DIAGRAM, "/web/diagram.js", "diagram.js", "text/javascript; charset=utf-8")                                  \
	X(LAYOUT, "/web/layout.js", "layout.js", "text/javascript; charset=utf-8")                                     \
	X(HTTP, "/web/http.js", "http.js", "text/javascript; charset=utf-8")                                           \
	X(EVENTS, "/web/events.js", "events.js", "text/javascript; charset=utf-8")                                     \
	X(ENDED, "/web/ended.js", "ended.js", "text/javascript; charset=utf-8")                                        \
	X(CHART, "/web/chart.min.js", "chart.min.js", "text/javascript; charset=utf-8")                                \
	X(CHART_LICENCE, "/web/chart.copyright.txt", "chart.copyright.txt", "text/plain; charset=utf-8")

enum web_file {
#define X(name, path, file, type) WEB_##name,
	WEB_FILES(X)
#undef X
		WEB_MAX,
};

extern const struct server_file dashboard__files[WEB_MAX];

#endif
