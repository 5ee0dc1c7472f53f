// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of keys, and of the port table's columns -> tables.
 */
#include "output/reference.h"
#include "top/port_columns.h"
#include "top/keys.h"
#include "top/reference.h"

#define ROWS_MAX 32

int top_reference__keys(FILE *out)
{
	struct reference_row rows[ROWS_MAX];
	const struct reference reference = {
		.headings = {{"KEY", NULL, NULL, "MEANING"}}, .rows = rows, .count = top_key_count};

	for (size_t i = 0; i < top_key_count; i++)
		rows[i] = (struct reference_row){{top_keys[i].keys, NULL, NULL, top_keys[i].help}};
	reference__print(out, &reference);
	return 0;
}

int top_reference__columns(FILE *out)
{
	struct reference_row rows[ROWS_MAX];
	struct reference reference = {.headings = {{"COLUMN", NULL, NULL, "MEANING"}}, .rows = rows};

	for (unsigned i = 0; i < column__count(true) && i < ROWS_MAX; i++)
		rows[reference.count++] = (struct reference_row){{column__heading(i), NULL, NULL, column__help(i)}};
	reference__print(out, &reference);
	return 0;
}
