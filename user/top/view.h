/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module top is the full-screen view of a running filter. It may include output, kernel, config, system and text.
 *
 * What `synwarden top` shows: two snapshots laid out on a page of any size.
 */
#ifndef SYNWARDEN_TOP_VIEW_H
#define SYNWARDEN_TOP_VIEW_H

#include "top/canvas.h"
#include "top/port_columns.h"
#include "top/facts.h"
#include "top/course.h"
#include "top/port_table.h"
#include "top/rates.h"

enum view_run {
	VIEW_ALIVE,
	VIEW_LEFT, /* killed, or ended with --keep: the filter stays attached */
	VIEW_GONE, /* ended, its filter removed */
};

enum view_page {
	VIEW_TABLE,
	VIEW_PORT, /* of one port, view->open */
	VIEW_EVENTS,
	VIEW_HELP,
};

#define VIEW_NO_PORT (-1)

struct view {
	struct rates rates;
	uint64_t realtime_ns; /* at the later snapshot, since the epoch */
	enum view_run run;
	struct facts *facts;   /* NULL: none are known */
	struct course *course; /* NULL: none */

	enum view_page page, behind; /* `behind`: where the help, or the events, go back to */
	struct port_choice choice;
	bool finding; /* the text to find is being typed */
	bool paused;
	bool quit;
	int selected;  /* the port that keys act on; VIEW_NO_PORT: none yet */
	uint16_t open; /* the port of VIEW_PORT */
	bool follow;   /* the next drawing scrolls to the selected port */
	size_t first;  /* port shown first; view__draw() bounds it */
	size_t line;   /* of a port's page or the help, or event, shown first; view__draw() bounds it */

	/* Set by view__draw(), for keys and the mouse. */
	size_t shown; /* ports that fit; on other pages lines, or events */
	int table_row;
	struct column_layout layout;
	size_t count; /* ports in `order`, as the table has them */
	uint16_t order[MAX_PORTS];
};

/* What `top` begins with. */
void view__init(struct view *view);
/* On a cleared canvas. -1 after a message. */
int view__draw(struct view *view, struct canvas *canvas);

#endif
