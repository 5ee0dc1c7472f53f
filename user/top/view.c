// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of `synwarden top`, from the top: the run and its interfaces; armed ports; listening ports; states beside
 * the counters; events; losses; keys. On a small canvas the ports keep some lines first, then the states.
 */
#include <stdio.h>
#include <string.h>

#include "text/print.h"
#include "top/banner.h"
#include "top/events_panel.h"
#include "top/help_page.h"
#include "top/panels.h"
#include "top/port_page.h"
#include "top/view.h"

#define FOOTER	     2
#define LEAST_PORTS  4 /* rows, with the heading */
#define LEAST_EVENTS 2
#define GAP	     2

void view__init(struct view *view)
{
	*view = (struct view){.selected = VIEW_NO_PORT, .choice.sort = column__find(COLUMN_SYNS)};
}

/* "q quit  p pause  h help  s sort: SYN/S", and what is shown of how many. */
static int draw_choice(const struct view *view, struct canvas *canvas, int row, const struct port_table *table)
{
	const struct port_choice *choice = &view->choice;
	int column = canvas__put(canvas, row, 0, CANVAS_HEADING, "%sq quit  p %s  h help  s sort: %s%s",
				 view->paused ? "PAUSED  " : "", view->paused ? "resume" : "pause",
				 column__heading(choice->sort), choice->reverse ? " reversed" : "");

	if (view->shown < table->count)
		column = canvas__put(canvas, row, column, CANVAS_HEADING, "  ports %zu-%zu of %zu",
				     view->shown ? view->first + 1 : 0, view->first + view->shown, table->count);
	if (*choice->find)
		column = canvas__put(canvas, row, column, CANVAS_HEADING, "  found: %s", choice->find);
	if (choice->active)
		column = canvas__put(canvas, row, column, CANVAS_HEADING, "  active only");
	if (table->hidden)
		column = canvas__put(canvas, row, column, CANVAS_HEADING, " (%zu hidden)", table->hidden);
	return column;
}

/* As many as there is room for. */
static void draw_hints(struct canvas *canvas, int row, int column)
{
	static const char *const hints[] = {"/ find", "Enter port", "e events", "a active", "r reverse"};

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (column + 2 + (int)strlen(hints[i]) <= canvas->columns)
			column = canvas__put(canvas, row, column, CANVAS_HEADING, "  %s", hints[i]);
}

static void draw_keys(const struct view *view, struct canvas *canvas, int row, const struct port_table *table)
{
	double seconds = rates__seconds(&view->rates);
	int column;

	canvas__blank(canvas, row, CANVAS_HEADING);
	if (view->finding)
		column = canvas__put(canvas, row, 0, CANVAS_HEADING, "find: %s_  Enter keeps it, Esc shows all ports",
				     view->choice.find);
	else if (view->page == VIEW_TABLE)
		column = draw_choice(view, canvas, row, table);
	else
		column = canvas__put(canvas, row, 0, CANVAS_HEADING, "%sq quit  p %s  Esc back  arrows scroll",
				     view->paused ? "PAUSED  " : "", view->paused ? "resume" : "pause");
	if (seconds > 0)
		column = canvas__put(canvas, row, column, CANVAS_HEADING, "  rates over %.1f s", seconds);
	if (view->page == VIEW_TABLE && !view->finding)
		draw_hints(canvas, row, column);
}

/* Rows of the port table: all ports, unless the tables below need the room. */
static int rows_for_ports(int rows, size_t ports)
{
	int below = STATES_ROWS + (rows > STATES_ROWS + LEAST_PORTS ? (rows - STATES_ROWS - LEAST_PORTS) / 3 : 0);
	int most = rows - below > LEAST_PORTS ? rows - below : LEAST_PORTS;

	if (most > rows)
		most = rows;
	return ports + 1 < (size_t)most ? (int)ports + 1 : most;
}

/* The selected port is scrolled to after a key that chose it. */
static void scroll(struct view *view, const struct port_table *table)
{
	size_t at = port_table__find(table, view->selected);

	if (view->follow && at < table->count) {
		if (at < view->first)
			view->first = at;
		else if (view->shown && at >= view->first + view->shown)
			view->first = at - view->shown + 1;
	}
	view->follow = false;
	if (view->shown > table->count)
		view->shown = table->count;
	if (view->first > table->count - view->shown)
		view->first = table->count - view->shown;
}

static void remember_order(struct view *view, const struct port_table *table)
{
	view->count = table->count;
	for (size_t i = 0; i < table->count; i++)
		view->order[i] = table->rows[i].view->port;
}

static void draw_table(struct view *view, struct canvas *canvas, const struct port_table *table, int row, int rows)
{
	int of_ports = rows_for_ports(rows, table->count), of_states, of_counters;

	view->shown = of_ports > 1 ? of_ports - 1 : 0;
	view->table_row = row;
	scroll(view, table);
	column__lay_out(&view->layout, table->http, view->choice.sort, canvas->columns);
	port_table__draw(table, &view->layout, canvas, row, of_ports, view->first, view->selected);
	row += of_ports;
	rows -= of_ports;
	of_states = panels__states(&view->rates, canvas, row, 0, rows);
	of_counters = panels__counters(&view->rates, canvas, row, STATES_WIDTH + GAP, rows);
	if (of_counters > of_states)
		of_states = of_counters;
	if (rows - of_states >= LEAST_EVENTS)
		events_panel__draw(view->facts, EVENTS_OF_ALL, canvas, row + of_states, rows - of_states);
}

static void draw_page(struct view *view, struct canvas *canvas, const struct port_table *table, int row, int rows)
{
	if (rows < 0)
		rows = 0;
	view->shown = rows > 1 ? rows - 1 : 1;
	switch (view->page) {
	case VIEW_PORT:
		view->line = port_page__draw(view, canvas, row, rows);
		break;
	case VIEW_EVENTS:
		view->shown = events_panel__page(view->facts, canvas, row, rows, &view->line);
		break;
	case VIEW_HELP:
		view->line = help_page__draw(canvas, row, rows, view->line);
		break;
	default:
		draw_table(view, canvas, table, row, rows);
	}
}

int view__draw(struct view *view, struct canvas *canvas)
{
	struct port_table table = {
		.source = {&view->rates, view->facts}, .course = view->course, .choice = &view->choice};
	int end = canvas->rows - FOOTER, row = banner__run(view, canvas, 0);

	if (view->choice.sort >= column__count(view->rates.now->http))
		view->choice.sort = column__find(COLUMN_SYNS); /* by a column of a run that counted HTTP */
	if (port_table__make(&table))
		return -1;
	remember_order(view, &table);
	if (view->page == VIEW_TABLE) {
		row += banner__setup(view, canvas, row);
		row += banner__alarms(view, canvas, row);
	}
	draw_page(view, canvas, &table, row, end - row);
	banner__losses(view, canvas, end);
	draw_keys(view, canvas, canvas->rows - 1, &table);
	port_table__free(&table);
	return 0;
}
