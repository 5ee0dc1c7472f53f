// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the rows by which the configuration file is read.
 */
#include "config/sync_options.h"
#include "output/reference.h"
#include "output/sync_keys.h"

#define HELP_LEN 160

static char help[3 * SYNC_ROWS_MAX][HELP_LEN];

static size_t add(struct reference_row *rows, size_t count, const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++, count++) {
		const struct option_row *row = &table->rows[i];

		snprintf(help[count], HELP_LEN, "%s%s%s", row->help, row->fallback ? "; default " : "",
			 row->fallback ?: "");
		rows[count] = (struct reference_row){{row->name, table->summary, row->value, help[count]}};
	}
	return count;
}

int sync_keys__print(FILE *out)
{
	struct reference_row rows[3 * SYNC_ROWS_MAX];
	struct reference reference = {.headings = {{"KEY", "SECTION", "VALUE", "MEANING"}}, .rows = rows};

	reference.count = add(rows, 0, &sync_options__sync);
	reference.count = add(rows, reference.count, &sync_options__crowdsec);
	reference.count = add(rows, reference.count, &sync_options__list);
	reference__print(out, &reference);
	return 0;
}
