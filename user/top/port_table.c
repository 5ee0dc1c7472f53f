// SPDX-License-Identifier: GPL-2.0-only
/*
 * The join as a table. Every column is a number, by which the table can be sorted; -1 stands for "unknown".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/port_counters.h"
#include "text/log.h"
#include "text/print.h"
#include "top/port_table.h"

#define MOST_EXTRA  6 /* characters by which a column grows on a wide canvas */
#define COLUMNS_MAX (PORT_COUNTER_MAX + 2)
#define GAUGE_WIDTH 5
#define QUEUE_WIDTH 10

enum group { GROUP_RATES, GROUP_GAUGES, GROUP_TOTALS };

enum { COUNTER_PORT = PORT_COUNTER_MAX, COUNTER_SHARE };

/* In display order; made at the first call of port_table__columns(). */
static struct column {
	const char *heading, *help;
	int width;
	unsigned counter; /* enum port_counter, or one of the two above */
} columns[COLUMNS_MAX];

static unsigned column_count;

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

unsigned port_table__columns(void)
{
	if (column_count)
		return column_count;
	columns[column_count++] = (struct column){
		"PORT", "listening port; ! under attack, * armed, - no listener any more", 6, COUNTER_PORT};
	add_group(GROUP_RATES);
	columns[column_count++] = (struct column){
		"SHARE", "of handshakes let begin (passed + answered), those completed", 5, COUNTER_SHARE};
	add_group(GROUP_GAUGES);
	add_group(GROUP_TOTALS);
	return column_count;
}

const char *port_table__heading(unsigned column)
{
	return column < port_table__columns() ? columns[column].heading : "";
}

const char *port_table__help(unsigned column)
{
	return column < port_table__columns() ? columns[column].help : "";
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
		.answered = now->answered - then->answered,
		.completed = now->completed - then->completed,
	};

	return rates__seconds(rates) > 0 ? snapshot__completed(&between) : RATE_UNKNOWN;
}

static double value_of(const struct column *column, const struct rates *rates, const struct port_view *then,
		       const struct port_view *now)
{
	if (column->counter == COUNTER_PORT)
		return now->port;
	if (column->counter == COUNTER_SHARE)
		return share(rates, then, now);
	if (group_of(&port_counters[column->counter]) == GROUP_RATES)
		return rates__of(rates, port_counter__of(then, column->counter),
				 port_counter__of(now, column->counter));
	return port_counter__of(now, column->counter);
}

static void fill(struct port_row *row, const struct rates *rates, const struct port_view *then,
		 const struct port_view *now)
{
	row->view = now;
	for (unsigned i = 0; i < port_table__columns(); i++)
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

	*table = (struct port_table){.rows = calloc(now->port_count, sizeof(*table->rows)), .sort = sort};
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
	else if (counter == COUNTER_SHARE)
		snprintf(buf, PRINT_NUMBER_LEN, value == 1000 ? "%.0f%%" : "%.1f%%", value / 10);
	else if (group_of(&port_counters[counter]) == GROUP_RATES)
		rates__text(buf, value, width);
	else
		rates__count(buf, value, width);
}

/* A wide canvas is shared out among all columns but the first. */
static int extra(const struct canvas *canvas)
{
	int width = -1, each;

	for (unsigned i = 0; i < port_table__columns(); i++)
		width += columns[i].width + 1;
	each = (canvas->columns - width) / (int)(column_count - 1);
	return each < 0 ? 0 : each > MOST_EXTRA ? MOST_EXTRA : each;
}

static void draw_heading(const struct port_table *table, struct canvas *canvas, int row)
{
	int column = 0, width, i;

	canvas__blank(canvas, row, CANVAS_HEADING);
	for (i = 0; i < (int)port_table__columns(); i++) {
		width = i ? columns[i].width + extra(canvas) + 1 : -columns[i].width;
		column = canvas__put(canvas, row, column, (unsigned)i == table->sort ? CANVAS_BOLD : CANVAS_HEADING,
				     "%*s", width, columns[i].heading);
	}
}

static void draw_row(const struct port_row *port, struct canvas *canvas, int row)
{
	enum canvas_style style = style_of(port->view);
	char text[PRINT_NUMBER_LEN];
	int column, i;

	cell_text(text, port, 0, columns[0].width);
	column = canvas__put(canvas, row, 0, style, "%-*s", columns[0].width, text);
	for (i = 1; i < (int)column_count; i++) {
		int width = columns[i].width + extra(canvas);

		cell_text(text, port, i, width);
		column = canvas__put(canvas, row, column, style, " %*s", width, text);
	}
}

void port_table__draw(const struct port_table *table, struct canvas *canvas, int row, int rows, size_t first)
{
	int i;

	if (rows > 0)
		draw_heading(table, canvas, row);
	for (i = 1; i < rows && first + i - 1 < table->count; i++)
		draw_row(&table->rows[first + i - 1], canvas, row + i);
}

void port_table__free(struct port_table *table)
{
	free(table->rows);
	*table = (struct port_table){};
}
