/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of text with styles, as large as the terminal: views write it, the terminal shows it, tests read it. A cell
 * holds one printable ASCII character; others become '?'.
 */
#ifndef SYNWARDEN_TOP_CANVAS_H
#define SYNWARDEN_TOP_CANVAS_H

enum canvas_style {
	CANVAS_PLAIN,
	CANVAS_BOLD,
	CANVAS_HEADING,
	CANVAS_GOOD,
	CANVAS_WARN,
	CANVAS_BAD,
	CANVAS_STYLES,
};

struct canvas {
	int rows, columns;
	char *text;	      /* rows, each of columns characters and a NUL */
	unsigned char *style; /* enum canvas_style of each character, in the same places */
};

/* Makes the canvas blank and gives it this size. -1 after a message. */
int canvas__clear(struct canvas *canvas, int rows, int columns);
void canvas__free(struct canvas *canvas);

const char *canvas__row(const struct canvas *canvas, int row);
/* Writes from a cell on, cut off at the canvas's edge. Returns the column behind the text. */
int canvas__put(struct canvas *canvas, int row, int column, enum canvas_style style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Writes the text on as many rows as it needs, at most `most`, broken at spaces. Returns their number. */
int canvas__wrap(struct canvas *canvas, int row, int most, enum canvas_style style, const char *text);
/* A row of spaces in this style. */
void canvas__blank(struct canvas *canvas, int row, enum canvas_style style);

#endif
