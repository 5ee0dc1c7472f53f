// SPDX-License-Identifier: GPL-2.0-only
/*
 * The join as a table. Every column is a number, by which the table can be sorted; -1 stands for "unknown".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/http_counters.h"
#include "output/port_counters.h"
#include "text/log.h"
#include "text/print.h"
#include "top/port_table.h"

#define MOST_EXTRA  6 /* characters by which a column grows on a wide canvas */
#define COLUMNS_MAX (PORT_COUNTER_MAX + 4)
#define GAUGE_WIDTH 5
#define QUEUE_WIDTH 10

enum group { GROUP_RATES, GROUP_GAUGES, GROUP_TOTALS };

enum { COUNTER_PORT = PORT_COUNTER_MAX, COUNTER_SHARE, COUNTER_REQUESTS, COUNTER_ERRORS };

/* In display order, those of HTTP last; made at the first call of port_table__columns(). */
static struct column {
	const char *heading, *help;
	int width;
	unsigned counter; /* enum port_counter, or one of those above */
} columns[COLUMNS_MAX];

static const struct column http_columns[] = {
	{"REQ/S", "HTTP/1.x requests, answered or not, with --http on", 5, COUNTER_REQUESTS},
	{"5XX", "of these, those that were answered with a status of 5xx", 5, COUNTER_ERRORS},
};

#define HTTP_COLUMNS (sizeof(http_columns) / sizeof(*http_columns))

static unsigned column_count; /* with those of HTTP */

static enum group group_of(const struct port_counter_row *row)
{
	size_t len = strlen(row->top);

	if (row->gauge)
		return GROUP_GAUGES;
	return len > 2 && !strcmp(row->top + len - 2, "/S") ? GROUP_RATES : GROUP_TOTALS;
}

static void add_group(enum group group)
{
	for (unsigned i = 0; i < PORT_COUNTER_MAX; i++) {
		const struct port_counter_row *row = &port_counters[i];
		int width = strlen(row->top);

		if (!*row->top || group_of(row) != group)
			continue;
		if (group == GROUP_GAUGES)
			width = i == PORT_accept_queue ? QUEUE_WIDTH : GAUGE_WIDTH;
		columns[column_count++] = (struct column){row->top, row->help, width, i};
	}
}

static void make_columns(void)
{
	columns[column_count++] = (struct column){
		"PORT", "listening port; ! under attack, * armed, - no listener any more", 6, COUNTER_PORT};
	add_group(GROUP_RATES);
	columns[column_count++] = (struct column){
		"SHARE", "of the SYNs passed, handshakes completed; - while some are challenged", 5, COUNTER_SHARE};
	add_group(GROUP_GAUGES);
	add_group(GROUP_TOTALS);
	memcpy(&columns[column_count], http_columns, sizeof(http_columns));
	column_count += HTTP_COLUMNS;
}

unsigned port_table__columns(bool http)
{
	if (!column_count)
		make_columns();
	return http ? column_count : column_count - HTTP_COLUMNS;
}

const char *port_table__heading(unsigned column)
{
	return column < port_table__columns(true) ? columns[column].heading : "";
}

const char *port_table__help(unsigned column)
{
	return column < port_table__columns(true) ? columns[column].help : "";
}

struct port_row {
	const struct port_view *view;
	double values[COLUMNS_MAX];
};

/* Both snapshots are sorted by port; *at is the position in the earlier one. */
static const struct port_view *find_before(const struct snapshot *before, uint16_t port, size_t *at)
{
	static const struct port_view none;

	while (before && *at < before->port_count && before->ports[*at].port < port)
		++*at;
	return before && *at < before->port_count && before->ports[*at].port == port ? &before->ports[*at] : &none;
}

static double share(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	const struct port_view between = {
		.passed = now->passed - then->passed,
		.challenged = now->challenged - then->challenged,
		.completed = now->completed - then->completed,
	};

	return rates__seconds(rates) > 0 ? snapshot__completed(&between) : RATE_UNKNOWN;
}

static bool is_rate(unsigned counter)
{
	return counter == COUNTER_REQUESTS ||
	       (counter < PORT_COUNTER_MAX && group_of(&port_counters[counter]) == GROUP_RATES);
}

/* In 1/1000, of the requests between the two. */
static double errors(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	uint64_t before = http_counters__requests(&then->http), requests = http_counters__requests(&now->http);
	uint64_t more = now->http.requests[HTTP_SERVER_ERROR] - then->http.requests[HTTP_SERVER_ERROR];

	return rates__seconds(rates) > 0 && requests > before ? more * 1000.0 / (requests - before) : RATE_UNKNOWN;
}

static double value_of(const struct column *column, const struct rates *rates, const struct port_view *then,
		       const struct port_view *now)
{
	if (column->counter == COUNTER_PORT)
		return now->port;
	if (column->counter == COUNTER_SHARE)
		return share(rates, then, now);
	if (column->counter == COUNTER_REQUESTS)
		return rates__of(rates, http_counters__requests(&then->http), http_counters__requests(&now->http));
	if (column->counter == COUNTER_ERRORS)
		return errors(rates, then, now);
	if (is_rate(column->counter))
		return rates__of(rates, port_counter__of(then, column->counter),
				 port_counter__of(now, column->counter));
	return port_counter__of(now, column->counter);
}

static void fill(struct port_row *row, const struct rates *rates, const struct port_view *then,
		 const struct port_view *now)
{
	row->view = now;
	for (unsigned i = 0; i < port_table__columns(true); i++)
		row->values[i] = value_of(&columns[i], rates, then, now);
}

static bool is_smallest_first(unsigned column)
{
	return columns[column].counter == COUNTER_PORT || columns[column].counter == COUNTER_SHARE;
}

/* Unknown values come last in either order; equal ones are ordered by port. */
static int compare(const void *a, const void *b, void *sort)
{
	const struct port_row *x = a, *y = b;
	unsigned column = *(unsigned *)sort;
	double u = x->values[column], v = y->values[column];

	if (u == v)
		return x->view->port - y->view->port;
	if (is_smallest_first(column) && u >= 0 && v >= 0)
		return u < v ? -1 : 1;
	return u > v ? -1 : 1;
}

int port_table__make(struct port_table *table, const struct rates *rates, unsigned sort)
{
	const struct snapshot *now = rates->now;
	size_t i, at = 0;

	*table = (struct port_table){
		.rows = calloc(now->port_count, sizeof(*table->rows)), .sort = sort, .http = now->http};
	if (!table->rows) {
		log_error("no memory for %zu listening ports", now->port_count);
		return -1;
	}
	for (i = 0; i < now->port_count; i++) {
		const struct port_view *view = &now->ports[i];

		if (view->listening || view->syns)
			fill(&table->rows[table->count++], rates, find_before(rates->before, view->port, &at), view);
	}
	qsort_r(table->rows, table->count, sizeof(*table->rows), compare, &sort);
	return 0;
}

/* The evidence is what the last `run` wrote, which may have ended since. */
static bool is_under_attack(const struct port_view *view)
{
	return view->armed && view->attack.under_attack;
}

static enum canvas_style style_of(const struct port_view *view)
{
	return is_under_attack(view) ? CANVAS_BAD : view->armed ? CANVAS_WARN : CANVAS_PLAIN;
}

/* "80!": under attack, "80*": armed, "80-": no listener any more. */
static void port_text(char buf[PRINT_NUMBER_LEN], const struct port_view *view)
{
	char mark = is_under_attack(view) ? '!' : view->armed ? '*' : view->port && !view->listening ? '-' : ' ';

	if (view->port)
		snprintf(buf, PRINT_NUMBER_LEN, "%u%c", view->port, mark);
	else
		snprintf(buf, PRINT_NUMBER_LEN, "other");
}

/* "3/4096", "!4097/4096" where the queue of a listener is full. */
static void queue_text(char buf[PRINT_NUMBER_LEN], const struct port_view *view)
{
	enum { WIDTH = 4 };
	char n[PRINT_NUMBER_LEN], limit[PRINT_NUMBER_LEN];

	if (view->listening)
		snprintf(buf, PRINT_NUMBER_LEN, "%s%.12s/%.12s", view->accept_full ? "!" : "",
			 rates__count(n, view->accept_queue, WIDTH), rates__count(limit, view->accept_limit, WIDTH));
	else
		snprintf(buf, PRINT_NUMBER_LEN, "-");
}

static void cell_text(char buf[PRINT_NUMBER_LEN], const struct port_row *row, unsigned column, int width)
{
	unsigned counter = columns[column].counter;
	double value = row->values[column];

	if (counter == COUNTER_PORT)
		port_text(buf, row->view);
	else if (counter == PORT_accept_queue)
		queue_text(buf, row->view);
	else if (value < 0)
		snprintf(buf, PRINT_NUMBER_LEN, "-");
	else if (counter == COUNTER_SHARE || counter == COUNTER_ERRORS)
		snprintf(buf, PRINT_NUMBER_LEN, value == 1000 ? "%.0f%%" : "%.1f%%", value / 10);
	else if (is_rate(counter))
		rates__text(buf, value, width);
	else
		rates__count(buf, value, width);
}

/* What those of HTTP take the place of where there is no room for all. */
static bool gives_way(unsigned column)
{
	return columns[column].counter == PORT_answered || columns[column].counter == PORT_synack_retransmits;
}

/* The columns that are drawn, by their number; *extra: by how much a wide canvas widens each but the first. */
static unsigned choose_columns(const struct port_table *table, const struct canvas *canvas,
			       unsigned chosen[COLUMNS_MAX], int *extra)
{
	unsigned all = port_table__columns(table->http), count = 0;
	int width = -1, left = canvas->columns + 1;

	for (unsigned i = 0; i < all; i++)
		left -= columns[i].width + 1;
	for (unsigned i = 0; i < all; i++) {
		if (table->http && left < 0 && gives_way(i))
			continue;
		chosen[count++] = i;
		width += columns[i].width + 1;
	}
	*extra = count > 1 ? (canvas->columns - width) / (int)(count - 1) : 0;
	*extra = *extra < 0 ? 0 : *extra > MOST_EXTRA ? MOST_EXTRA : *extra;
	return count;
}

static void draw_heading(const struct port_table *table, struct canvas *canvas, int row)
{
	unsigned chosen[COLUMNS_MAX], count;
	int extra, at = 0;

	count = choose_columns(table, canvas, chosen, &extra);
	canvas__blank(canvas, row, CANVAS_HEADING);
	for (unsigned i = 0; i < count; i++) {
		const struct column *column = &columns[chosen[i]];

		at = canvas__put(canvas, row, at, chosen[i] == table->sort ? CANVAS_BOLD : CANVAS_HEADING, "%*s",
				 i ? column->width + extra + 1 : -column->width, column->heading);
	}
}

static void draw_row(const struct port_table *table, const struct port_row *port, struct canvas *canvas, int row)
{
	enum canvas_style style = style_of(port->view);
	unsigned chosen[COLUMNS_MAX], count;
	char text[PRINT_NUMBER_LEN];
	int extra, at;

	count = choose_columns(table, canvas, chosen, &extra);
	cell_text(text, port, 0, columns[0].width);
	at = canvas__put(canvas, row, 0, style, "%-*s", columns[0].width, text);
	for (unsigned i = 1; i < count; i++) {
		int width = columns[chosen[i]].width + extra;

		cell_text(text, port, chosen[i], width);
		at = canvas__put(canvas, row, at, style, " %*s", width, text);
	}
}

void port_table__draw(const struct port_table *table, struct canvas *canvas, int row, int rows, size_t first)
{
	int i;

	if (rows > 0)
		draw_heading(table, canvas, row);
	for (i = 1; i < rows && first + i - 1 < table->count; i++)
		draw_row(table, &table->rows[first + i - 1], canvas, row + i);
}

void port_table__free(struct port_table *table)
{
	free(table->rows);
	*table = (struct port_table){};
}
