// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of events on rows of a canvas.
 */
#include <stdio.h>
#include <string.h>

#include "output/event_show.h"
#include "top/events_panel.h"

#define EVENT_TEXT (EVENT_FIGURES_LEN + 128)

struct drawing {
	struct canvas *canvas;
	int row, end; /* the next row, and the first that is no longer free */
	int port;
	int most;     /* rows of an event */
	size_t first; /* events to be left out before */
	size_t count; /* of them all */
	size_t whole; /* that were drawn to their end */
};

static enum canvas_style style_of(const struct log_event *event)
{
	if (event->flags & EVENT_ONGOING || event->kind == EVENT_GONE)
		return CANVAS_BAD;
	return event->kind == EVENT_ATTACK || event->kind == EVENT_LOST || event->kind == EVENT_REFUSED ? CANVAS_WARN
													: CANVAS_PLAIN;
}

static bool draw_event(void *context, const struct log_event *event)
{
	struct drawing *drawing = context;
	char text[EVENT_TEXT] = "";
	FILE *out;

	if (drawing->port != EVENTS_OF_ALL && event->port != (uint64_t)drawing->port)
		return true;
	if (drawing->count++ < drawing->first || drawing->row >= drawing->end)
		return true;
	out = fmemopen(text, sizeof(text), "w");
	if (!out)
		return false;
	event_show__text(out, event);
	fclose(out);
	text[strcspn(text, "\n")] = '\0';
	drawing->whole += canvas__rows_of(drawing->canvas, text) <= drawing->end - drawing->row;
	if (drawing->most == 1)
		canvas__put(drawing->canvas, drawing->row++, 0, style_of(event), "%s", text);
	else
		drawing->row +=
			canvas__wrap(drawing->canvas, drawing->row, drawing->end - drawing->row, style_of(event), text);
	return true;
}

/* What stands there instead of events. */
static void draw_none(const struct drawing *drawing, const struct facts *facts)
{
	if (!facts || !facts->events)
		canvas__put(drawing->canvas, drawing->row, 0, CANVAS_PLAIN, "unknown: see synwarden events");
	else if (!drawing->count)
		canvas__put(drawing->canvas, drawing->row, 0, CANVAS_PLAIN, "none in the last week");
}

static void draw(struct drawing *drawing, const struct facts *facts)
{
	if (drawing->row >= drawing->end)
		return;
	canvas__blank(drawing->canvas, drawing->row, CANVAS_HEADING);
	canvas__put(drawing->canvas, drawing->row++, 0, CANVAS_HEADING, "EVENTS, THE LAST FIRST (UTC)");
	if (facts && facts->events)
		event_log__each(facts->events, true, draw_event, drawing);
	if (drawing->row < drawing->end)
		draw_none(drawing, facts);
}

void events_panel__draw(const struct facts *facts, int port, struct canvas *canvas, int row, int rows)
{
	struct drawing drawing = {.canvas = canvas, .row = row, .end = row + rows, .port = port, .most = 1};

	draw(&drawing, facts);
}

static bool count_event(void *context, const struct log_event *event)
{
	(void)event;
	++*(size_t *)context;
	return true;
}

size_t events_panel__page(const struct facts *facts, struct canvas *canvas, int row, int rows, size_t *first)
{
	struct drawing drawing = {.canvas = canvas, .row = row, .end = row + rows, .port = EVENTS_OF_ALL, .most = rows};
	size_t count = 0;

	if (facts && facts->events)
		event_log__each(facts->events, true, count_event, &count);
	if (*first >= count)
		*first = count ? count - 1 : 0;
	drawing.first = *first;
	draw(&drawing, facts);
	return drawing.whole ? drawing.whole : 1;
}
