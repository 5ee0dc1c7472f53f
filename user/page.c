// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of text with styles.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "page.h"

#define TEXT_LEN 1024

int page__clear(struct page *page, int rows, int columns)
{
	size_t size = (size_t)rows * (columns + 1);
	int row;

	if (rows != page->rows || columns != page->columns) {
		page__free(page);
		page->text = malloc(size);
		page->style = malloc(size);
		if (!page->text || !page->style) {
			log_error("no memory for a screen of %d lines of %d characters", rows, columns);
			page__free(page);
			return -1;
		}
		page->rows = rows;
		page->columns = columns;
	}
	memset(page->text, ' ', size);
	memset(page->style, PAGE_PLAIN, size);
	for (row = 0; row < rows; row++)
		page->text[row * (columns + 1) + columns] = '\0';
	return 0;
}

void page__free(struct page *page)
{
	free(page->text);
	free(page->style);
	*page = (struct page){};
}

const char *page__row(const struct page *page, int row)
{
	return page->text + (size_t)row * (page->columns + 1);
}

int page__put(struct page *page, int row, int column, enum page_style style, const char *format, ...)
{
	size_t line = (size_t)row * (page->columns + 1);
	char text[TEXT_LEN];
	const char *c;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (c = text; *c; c++, column++) {
		if (row < 0 || row >= page->rows || column < 0 || column >= page->columns)
			continue;
		page->text[line + column] = *c >= ' ' && *c <= '~' ? *c : '?';
		page->style[line + column] = style;
	}
	return column;
}

/* How much of the text goes on a row: up to the last space that it has room for, or all of a word that is longer. */
static int fitting(const char *text, int columns)
{
	int len = strlen(text), fits;

	if (len <= columns)
		return len;
	for (fits = columns; fits > 0 && text[fits] != ' '; fits--)
		;
	return fits ? fits : columns;
}

int page__wrap(struct page *page, int row, int most, enum page_style style, const char *text)
{
	int rows;

	for (rows = 0; rows < most && *text && page->columns > 0; rows++) {
		int len = fitting(text, page->columns);

		page__put(page, row + rows, 0, style, "%.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	return rows;
}

void page__blank(struct page *page, int row, enum page_style style)
{
	if (row < 0 || row >= page->rows)
		return;
	memset(page->text + (size_t)row * (page->columns + 1), ' ', page->columns);
	memset(page->style + (size_t)row * (page->columns + 1), style, page->columns);
}
