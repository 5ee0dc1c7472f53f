/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of text with styles, as large as the terminal: views write it, the terminal shows it, tests read it. One
 * printable ASCII character a cell; whatever else a text holds becomes '?'.
 */
#ifndef SYNWARDEN_PAGE_H
#define SYNWARDEN_PAGE_H

enum page_style {
	PAGE_PLAIN,
	PAGE_BOLD,
	PAGE_HEADING,
	PAGE_GOOD,
	PAGE_WARN,
	PAGE_BAD,
	PAGE_STYLES,
};

struct page {
	int rows, columns;
	char *text;	      /* rows, each of columns characters and a NUL */
	unsigned char *style; /* enum page_style of each character, in the same places */
};

/* Makes it blank, and of this size. -1 after a message. */
int page__clear(struct page *page, int rows, int columns);
void page__free(struct page *page);

const char *page__row(const struct page *page, int row);
/* Writes from a cell on; what does not fit on the page is cut off. Returns the column behind the text. */
int page__put(struct page *page, int row, int column, enum page_style style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* The text on as many rows as it needs, at most `most`, broken at spaces. Returns how many that are. */
int page__wrap(struct page *page, int row, int most, enum page_style style, const char *text);
/* A row of spaces in this style. */
void page__blank(struct page *page, int row, enum page_style style);

#endif
