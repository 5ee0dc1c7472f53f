/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of text with styles, as large as the terminal: views write it, the terminal shows it, tests read it. A cell
 * holds one printable ASCII character, others become '?'; or a bar, of CANVAS_LEVELS heights.
 */
#ifndef SYNWARDEN_TOP_CANVAS_H
#define SYNWARDEN_TOP_CANVAS_H

enum canvas_style {
	CANVAS_PLAIN,
	CANVAS_BOLD,
	CANVAS_HEADING,
	CANVAS_CHOSEN, /* the row that keys act on */
	CANVAS_GOOD,
	CANVAS_WARN,
	CANVAS_BAD,
	CANVAS_STYLES,
};

#define CANVAS_LEVELS 8 /* bars are the bytes 1 to CANVAS_LEVELS of `text` */

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
/* Length of the text that goes on a row of `columns`: up to the last space that fits, or all of a word that is longer.
 */
int canvas__fitting(const char *text, int columns);
/* How many rows canvas__wrap() needs for the text. */
int canvas__rows_of(const struct canvas *canvas, const char *text);
/* Writes the text on as many rows as it needs, at most `most`, broken at spaces. Returns their number. */
int canvas__wrap(struct canvas *canvas, int row, int most, enum canvas_style style, const char *text);
/* A bar; a level of 0 or less is none, one above CANVAS_LEVELS is as high as the cell. */
void canvas__bar(struct canvas *canvas, int row, int column, enum canvas_style style, int level);
/* Gives a row's cells this style, and leaves their text. */
void canvas__restyle(struct canvas *canvas, int row, enum canvas_style style);
/* A row of spaces in this style. */
void canvas__blank(struct canvas *canvas, int row, enum canvas_style style);
/* Both canvases have as many columns, and these rows. */
void canvas__copy(struct canvas *canvas, int row, const struct canvas *from, int from_row);

#endif
