// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of text with styles.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/log.h"
#include "top/canvas.h"

#define TEXT_LEN 1024

int canvas__clear(struct canvas *canvas, int rows, int columns)
{
	size_t size = (size_t)rows * (columns + 1);
	int row;

	if (rows != canvas->rows || columns != canvas->columns) {
		canvas__free(canvas);
		canvas->text = malloc(size);
		canvas->style = malloc(size);
		if (!canvas->text || !canvas->style) {
			log_error("no memory for a screen of %d lines of %d characters", rows, columns);
			canvas__free(canvas);
			return -1;
		}
		canvas->rows = rows;
		canvas->columns = columns;
	}
	memset(canvas->text, ' ', size);
	memset(canvas->style, CANVAS_PLAIN, size);
	for (row = 0; row < rows; row++)
		canvas->text[row * (columns + 1) + columns] = '\0';
	return 0;
}

void canvas__free(struct canvas *canvas)
{
	free(canvas->text);
	free(canvas->style);
	*canvas = (struct canvas){};
}

const char *canvas__row(const struct canvas *canvas, int row)
{
	return canvas->text + (size_t)row * (canvas->columns + 1);
}

int canvas__put(struct canvas *canvas, int row, int column, enum canvas_style style, const char *format, ...)
{
	size_t line = (size_t)row * (canvas->columns + 1);
	char text[TEXT_LEN];
	const char *c;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (c = text; *c; c++, column++) {
		if (row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns)
			continue;
		canvas->text[line + column] = *c >= ' ' && *c <= '~' ? *c : '?';
		canvas->style[line + column] = style;
	}
	return column;
}

int canvas__fitting(const char *text, int columns)
{
	int len = strlen(text), fits;

	if (len <= columns)
		return len;
	for (fits = columns; fits > 0 && text[fits] != ' '; fits--)
		;
	return fits ? fits : columns;
}

int canvas__wrap(struct canvas *canvas, int row, int most, enum canvas_style style, const char *text)
{
	int rows;

	for (rows = 0; rows < most && *text && canvas->columns > 0; rows++) {
		int len = canvas__fitting(text, canvas->columns);

		canvas__put(canvas, row + rows, 0, style, "%.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	return rows;
}

int canvas__rows_of(const struct canvas *canvas, const char *text)
{
	int rows;

	for (rows = 0; *text && canvas->columns > 0; rows++) {
		text += canvas__fitting(text, canvas->columns);
		text += strspn(text, " ");
	}
	return rows;
}

void canvas__bar(struct canvas *canvas, int row, int column, enum canvas_style style, int level)
{
	size_t at = (size_t)row * (canvas->columns + 1) + column;

	if (level <= 0 || row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns)
		return;
	canvas->text[at] = level > CANVAS_LEVELS ? CANVAS_LEVELS : level;
	canvas->style[at] = style;
}

void canvas__restyle(struct canvas *canvas, int row, enum canvas_style style)
{
	if (row >= 0 && row < canvas->rows)
		memset(canvas->style + (size_t)row * (canvas->columns + 1), style, canvas->columns);
}

void canvas__blank(struct canvas *canvas, int row, enum canvas_style style)
{
	if (row < 0 || row >= canvas->rows)
		return;
	memset(canvas->text + (size_t)row * (canvas->columns + 1), ' ', canvas->columns);
	memset(canvas->style + (size_t)row * (canvas->columns + 1), style, canvas->columns);
}

void canvas__copy(struct canvas *canvas, int row, const struct canvas *from, int from_row)
{
	size_t size = canvas->columns + 1;

	memcpy(canvas->text + row * size, from->text + from_row * size, size);
	memcpy(canvas->style + row * size, from->style + from_row * size, size);
}
