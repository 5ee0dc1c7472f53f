/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of include/ with their help, for `synwarden help`, the dashboard, manual pages and documents.
 */
#ifndef SYNWARDEN_OUTPUT_REFERENCE_H
#define SYNWARDEN_OUTPUT_REFERENCE_H

#include <stddef.h>
#include <stdio.h>

#define REFERENCE_COLUMNS 4

/* The first cell is the row's name, the last one its help; unused cells between them are NULL. */
struct reference_row {
	const char *cells[REFERENCE_COLUMNS];
};

struct reference {
	const char *name, *summary;
	struct reference_row headings;
	const struct reference_row *rows;
	size_t count;
};

extern const struct reference references[];
extern const size_t reference_count;

/* NULL: there is no table of this name. */
const struct reference *reference__find(const char *name);
/* Columns are at least two spaces apart, no cell contains two; an empty cell is "-". */
void reference__print(FILE *out, const struct reference *reference);

#endif
