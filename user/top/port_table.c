// SPDX-License-Identifier: GPL-2.0-only
/*
 * The join as a table: the rows, their order, and the lines that are drawn of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/log.h"
#include "text/print.h"
#include "top/port_table.h"

/* Both snapshots are sorted by port; *at is the position in the earlier one. */
const struct port_view *port_table__before(const struct snapshot *before, uint16_t port, size_t *at)
{
	static const struct port_view none;

	while (before && *at < before->port_count && before->ports[*at].port < port)
		++*at;
	return before && *at < before->port_count && before->ports[*at].port == port ? &before->ports[*at] : &none;
}

char *port_table__name(char buf[COLUMN_TEXT], const struct port_view *view)
{
	if (view->port)
		snprintf(buf, COLUMN_TEXT, "%u", view->port);
	else
		snprintf(buf, COLUMN_TEXT, "other");
	return buf;
}

static bool is_active(const struct port_row *row)
{
	const struct port_view *view = row->view;

	return row->values[column__find(COLUMN_SYNS)] > 0 || view->armed || view->half_open || view->accept_queue ||
	       view->accept_full;
}

/* Upper and lower case are alike. */
static bool is_found(const struct port_table *table, const struct port_view *view)
{
	const struct backlog *holder = table->source.facts ? facts__holder(table->source.facts, view->port) : NULL;
	char name[COLUMN_TEXT];

	return strcasestr(port_table__name(name, view), table->choice->find) ||
	       (holder && strcasestr(holder->comm, table->choice->find));
}

static void fill(struct port_row *row, const struct port_table *table, const struct port_view *then,
		 const struct port_view *now)
{
	row->view = now;
	for (unsigned i = 0; i < column__count(true); i++)
		row->values[i] = column__value(i, &table->source, then, now);
}

/* Unknown values come last in either order; equal ones are ordered by port. */
static int compare(const void *a, const void *b, void *context)
{
	const struct port_row *x = a, *y = b;
	const struct port_choice *choice = context;
	double u = x->values[choice->sort], v = y->values[choice->sort];
	bool largest_first = column__largest_first(choice->sort) != choice->reverse;

	if (u == v)
		return x->view->port - y->view->port;
	if (u < 0 || v < 0 || largest_first)
		return u > v ? -1 : 1;
	return u < v ? -1 : 1;
}

int port_table__make(struct port_table *table)
{
	const struct snapshot *now = table->source.rates->now;
	struct port_row *row;
	size_t i, at = 0;

	table->http = now->http;
	table->count = table->hidden = 0;
	table->rows = calloc(now->port_count, sizeof(*table->rows));
	if (!table->rows) {
		log_error("no memory for %zu listening ports", now->port_count);
		return -1;
	}
	for (i = 0; i < now->port_count; i++) {
		const struct port_view *view = &now->ports[i];

		if (!view->listening && !view->syns)
			continue;
		row = &table->rows[table->count];
		fill(row, table, port_table__before(table->source.rates->before, view->port, &at), view);
		if (is_found(table, view) && (!table->choice->active || is_active(row)))
			table->count++;
		else
			table->hidden++;
	}
	qsort_r(table->rows, table->count, sizeof(*table->rows), compare, (void *)table->choice);
	return 0;
}

size_t port_table__find(const struct port_table *table, int port)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		if (table->rows[i].view->port == port)
			break;
	return i;
}

enum canvas_style port_table__style(const struct port_view *view)
{
	return view->armed && view->attack.under_attack ? CANVAS_BAD : view->armed ? CANVAS_WARN : CANVAS_PLAIN;
}

static void draw_heading(const struct port_table *table, const struct column_layout *layout, struct canvas *canvas,
			 int row)
{
	canvas__blank(canvas, row, CANVAS_HEADING);
	for (unsigned i = 0; i < layout->count; i++) {
		unsigned column = layout->cells[i].column;
		int width = layout->cells[i].width;

		canvas__put(canvas, row, layout->cells[i].from,
			    column == table->choice->sort ? CANVAS_BOLD : CANVAS_HEADING, "%*s",
			    column__is_text(column) ? -width : width, column__heading(column));
	}
}

static void draw_row(const struct port_table *table, const struct column_layout *layout, const struct port_row *port,
		     struct canvas *canvas, int row, enum canvas_style style)
{
	char text[COLUMN_TEXT];

	for (unsigned i = 0; i < layout->count; i++) {
		unsigned column = layout->cells[i].column;
		int from = layout->cells[i].from, width = layout->cells[i].width;

		column__text(text, column, &table->source, port->view, port->values[column]);
		canvas__put(canvas, row, from, style, "%*.*s", column__is_text(column) ? -width : width, width, text);
		if (table->course && !strcmp(column__heading(column), COLUMN_COURSE))
			course__draw(table->course, port->view, canvas, row, 1, from, width, style);
	}
}

void port_table__draw(const struct port_table *table, const struct column_layout *layout, struct canvas *canvas,
		      int row, int rows, size_t first, int selected)
{
	if (rows > 0)
		draw_heading(table, layout, canvas, row);
	for (int i = 1; i < rows && first + i - 1 < table->count; i++) {
		const struct port_row *port = &table->rows[first + i - 1];

		if (port->view->port == selected)
			canvas__restyle(canvas, row + i, CANVAS_CHOSEN);
		draw_row(table, layout, port, canvas, row + i,
			 port->view->port == selected ? CANVAS_CHOSEN : port_table__style(port->view));
	}
}

void port_table__free(struct port_table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->count = 0;
}
