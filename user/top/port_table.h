/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join as a table: a line for each listening port, with what the filter did with its SYNs each second, and what
 * became of those that it passed.
 */
#ifndef SYNWARDEN_TOP_PORT_TABLE_H
#define SYNWARDEN_TOP_PORT_TABLE_H

#include "top/canvas.h"
#include "top/port_columns.h"
#include "top/course.h"

#define PORT_TABLE_FIND 24 /* longest text to find, with its NUL */

/* Which ports are shown, and in which order. */
struct port_choice {
	unsigned sort;		    /* by which column */
	bool reverse;		    /* the other way round */
	bool active;		    /* only those with traffic, or waiting connections */
	char find[PORT_TABLE_FIND]; /* only those whose port or process has this text; "": all */
};

struct port_row {
	const struct port_view *view;
	double values[COLUMNS_MAX];
};

struct port_table {
	struct port_row *rows;
	size_t count;
	size_t hidden; /* ports that the choice leaves out */
	struct column_source source;
	const struct course *course; /* NULL: none */
	const struct port_choice *choice;
	bool http; /* with the columns of HTTP */
};

/* Ports that have a listener or got SYNs. table->source, ->course and ->choice are set. -1 after a message. */
int port_table__make(struct port_table *table);
/* Draws the heading, then the lines from number `first` on; `rows` in all. `selected`: a port, or -1. */
void port_table__draw(const struct port_table *table, const struct column_layout *layout, struct canvas *canvas,
		      int row, int rows, size_t first, int selected);
/* The line of a port; table->count: it has none. */
size_t port_table__find(const struct port_table *table, int port);
void port_table__free(struct port_table *table);

/* What a port is called: "80", "other". */
char *port_table__name(char buf[COLUMN_TEXT], const struct port_view *view);
/* By whether it is under attack, or armed. */
enum canvas_style port_table__style(const struct port_view *view);
/* The port in the earlier snapshot, or one whose counters are 0; *at: where to begin, 0 at first. */
const struct port_view *port_table__before(const struct snapshot *before, uint16_t port, size_t *at);

#endif
