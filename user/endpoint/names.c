// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each table as an object: JSON is JavaScript, too.
 */
#include "endpoint/names.h"
#include "output/port_counters.h"
#include "output/protection.h"
#include "output/reference.h"
#include "text/json.h"

static void begin(struct json *json, FILE *out, const char *name)
{
	fprintf(out, "export const %s = ", name);
	json_begin(json, out);
}

/* Each row is an object, by the table's headings. */
static void write_table(struct json *json, const struct reference *table)
{
	json_item(json);
	json_string(json, "name", table->name);
	json_string(json, "summary", table->summary);
	json_array(json, "rows");
	for (size_t i = 0; i < table->count; i++) {
		json_item(json);
		for (size_t column = 0; column < REFERENCE_COLUMNS; column++)
			if (table->rows[i].cells[column])
				json_string(json, table->headings.cells[column], table->rows[i].cells[column]);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

static void write_reference(FILE *out)
{
	struct json json;

	begin(&json, out, "REFERENCE");
	json_array(&json, "tables");
	for (size_t i = 0; i < reference_count; i++)
		write_table(&json, &references[i]);
	json_close(&json, ']');
	json_end(&json);
}

static void write_port_counters(FILE *out)
{
	struct json json;

	begin(&json, out, "PORT_COUNTERS");
	for (size_t i = 0; i < PORT_COUNTER_MAX; i++)
		json_string(&json, port_counters[i].name, port_counters[i].page);
	json_end(&json);
}

static void write_protection(FILE *out)
{
	struct json json;

	begin(&json, out, "PROTECTION");
#define X(name, label, help) json_string(&json, label, help);
	PROTECTION_STATES(X)
#undef X
	json_end(&json);
}

static void write_transitions(FILE *out)
{
	static const char *const words[][2] = {
#define X(from, to, word, help) {#from ">" #to, word},
		TRANSITIONS(X)
#undef X
	};
	struct json json;

	begin(&json, out, "TRANSITIONS");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		json_string(&json, words[i][0], words[i][1]);
	json_end(&json);
}

void names__write(FILE *out)
{
	write_reference(out);
	write_protection(out);
	write_port_counters(out);
	write_transitions(out);
}
