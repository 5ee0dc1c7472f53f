// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each table as an object: JSON is JavaScript, too.
 */
#include "endpoint/names.h"
#include "output/port_counters.h"
#include "output/reference.h"
#include "text/json.h"

static void begin(struct json *json, FILE *out, const char *name)
{
	fprintf(out, "export const %s = ", name);
	json_begin(json, out);
}

static void write_reference(FILE *out, const char *name, const char *reference)
{
	const struct reference *table = reference__find(reference);
	struct json json;

	begin(&json, out, name);
	for (size_t i = 0; i < table->count; i++)
		json_string(&json, table->rows[i].cells[0], table->rows[i].cells[REFERENCE_COLUMNS - 1]);
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

static void write_orderly(FILE *out)
{
	enum { IS_ORDERLY, IS_FAILURE, IS_LISTENER };
	static const struct {
		const char *label;
		bool orderly;
	} endings[] = {
#define X(name, kind, label, help) {label, IS_##kind == IS_ORDERLY},
		ENDINGS(X)
#undef X
	};
	struct json json;

	begin(&json, out, "ORDERLY");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		json_bool(&json, endings[i].label, endings[i].orderly);
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
	write_port_counters(out);
	write_reference(out, "REASONS", "reasons");
	write_reference(out, "ENDINGS", "endings");
	write_reference(out, "LOSSES", "losses");
	write_reference(out, "TCP_STATES", "tcp-states");
	write_orderly(out);
	write_transitions(out);
}
