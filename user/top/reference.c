// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of keys, and of the port table's columns -> tables.
 */
#include "output/reference.h"
#include "top/port_table.h"
#include "top/reference.h"

#define ROWS_MAX 32

const struct top_key top_keys[] = {
	{"q", "quit, as Ctrl-C does"},
	{"p, space", "pause, and resume"},
	{"s", "sort the ports by the next column; the last line names it"},
	{"h, ?", "explain columns and keys; any key ends it"},
	{"arrows, page up and down, home, end", "scroll the ports"},
};

const size_t top_key_count = sizeof(top_keys) / sizeof(*top_keys);

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

	for (unsigned i = 0; i < port_table__columns(true) && i < ROWS_MAX; i++)
		rows[reference.count++] =
			(struct reference_row){{port_table__heading(i), NULL, NULL, port_table__help(i)}};
	reference__print(out, &reference);
	return 0;
}
