// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of names and meanings, one below the other.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/reference.h"
#include "top/port_columns.h"
#include "top/help_page.h"
#include "top/keys.h"

#define NAME_WIDTH 17
#define LEAST	   40  /* columns for the meaning */
#define WIDE	   150 /* from here on there are two columns */
#define LINE_LEN   256
#define LINES_MAX  600

struct help {
	int width; /* of a line */
	size_t count;
	char lines[LINES_MAX][LINE_LEN];
	bool heading[LINES_MAX];
};

static void add(struct help *help, bool heading, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(struct help *help, bool heading, const char *format, ...)
{
	va_list args;

	if (help->count == LINES_MAX)
		return;
	va_start(args, format);
	vsnprintf(help->lines[help->count], LINE_LEN, format, args);
	va_end(args);
	help->heading[help->count++] = heading;
}

/* A name that is too long for its column has a line of its own. */
static void add_row(struct help *help, const char *name, const char *text)
{
	int room = help->width - NAME_WIDTH > LEAST ? help->width - NAME_WIDTH : LEAST;
	int len;

	if (strlen(name) >= NAME_WIDTH) {
		add(help, false, "%s", name);
		name = "";
	}
	do {
		len = canvas__fitting(text, room);
		add(help, false, "%-*s%.*s", NAME_WIDTH, name, len, text);
		text += len;
		text += strspn(text, " ");
		name = "";
	} while (*text);
}

static void add_reference(struct help *help, const char *name, const char *heading)
{
	const struct reference *reference = reference__find(name);

	add(help, false, "%s", "");
	add(help, true, "%s", heading);
	for (size_t i = 0; i < reference->count; i++)
		add_row(help, reference->rows[i].cells[0], reference->rows[i].cells[REFERENCE_COLUMNS - 1]);
}

static void make(struct help *help)
{
	add(help, true, "KEYS");
	for (size_t i = 0; i < top_key_count; i++)
		add_row(help, top_keys[i].keys, top_keys[i].help);
	add(help, false, "%s", "");
	add(help, true, "COLUMNS OF THE PORTS");
	for (unsigned i = 0; i < column__count(true); i++)
		add_row(help, column__heading(i), column__help(i));
	add_row(help, "/S",
		"per second, over the time that the last line names; without it: as of now, or a total (of the "
		"panels, LDROP and RETX)");
	add_row(help, "-", "unknown, or nothing to divide by");
	add_row(help, "48.2k", "three digits, cut; below 10,000 the number itself");
	add_row(help, "lost", "what synwarden could not see or judge; more than 0 is worth a look");
	add_reference(help, "reasons", "REASONS OF VERDICTS");
	add_reference(help, "endings", "HOW CONNECTIONS ENDED");
	add_reference(help, "tcp-states", "STATES OF SOCKETS");
	add_reference(help, "losses", "LOSSES");
}

size_t help_page__draw(struct canvas *canvas, int row, int rows, size_t first)
{
	int across = canvas->columns >= WIDE ? 2 : 1, width = canvas->columns / across;
	struct help *help = malloc(sizeof(*help));
	size_t shown = (size_t)rows * across;

	if (!help)
		return first;
	help->width = width - 1 < LINE_LEN ? width - 1 : LINE_LEN - 1;
	help->count = 0;
	make(help);
	if (first + shown > help->count)
		first = help->count > shown ? help->count - shown : 0;
	for (size_t i = 0; i < shown && first + i < help->count; i++)
		canvas__put(canvas, row + (int)(i % rows), (int)(i / rows) * width,
			    help->heading[first + i] ? CANVAS_BOLD : CANVAS_PLAIN, "%s", help->lines[first + i]);
	free(help);
	return first;
}
