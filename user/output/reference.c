// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the tables in include/ -> rows of text.
 */
#include <string.h>

#include "output/port_counters.h"
#include "output/protection.h"
#include "output/reference.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define GAP		2

#define METRIC(name) (sizeof(name) > 1 ? "synwarden_" name : "")

static const struct reference_row reasons[] = {
#define X(name, kind, label, help) {{label, VERDICT_NAME_##kind, NULL, help}},
	REASONS(X)
#undef X
};

static const struct reference_row endings[] = {
#define X(name, kind, label, help) {{label, NULL, NULL, help}},
	ENDINGS(X)
#undef X
};

static const struct reference_row losses[] = {
#define X(name, kind, label, help) {{label, METRIC(LOSS_METRIC_##kind), NULL, help}},
	LOSSES(X)
#undef X
};

static const struct reference_row states[] = {
#define X(number, name, help) {{#name, #number, NULL, help}},
	STATES(X)
#undef X
};

static const struct reference_row transitions[] = {
#define X(from, to, word, help) {{#from, #to, NULL, help}},
	TRANSITIONS(X)
#undef X
};

static const struct reference_row port_numbers[] = {
#define X(kind, name, metric, labels, summary, top, page, help) {{#name, METRIC(metric), labels, help}},
	PORT_COUNTERS(X)
#undef X
};

static const struct reference_row tallies[] = {
#define X(name, json, metric, labels, what, kind, help) {{json, METRIC(metric), labels, help}},
	TALLIES(X)
#undef X
};

#define STATE_NAME(name, label, help) static const char state_##name[] = label;
PROTECTION_STATES(STATE_NAME)
#define SEVERITY_NAME(name, label) static const char severity_##name[] = label;
SEVERITIES(SEVERITY_NAME)

static const struct reference_row protection[] = {
#define X(name, state, reason, severity, sentence, fix) {{state_##state, reason, severity_##severity, sentence}},
	PROTECTION_ROWS(X)
#undef X
};

#define COLUMNS(...)                                                                                                   \
	{                                                                                                              \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}
#define ROWS(rows) rows, COUNT_OF(rows)

const struct reference references[] = {
	{"reasons", "why a packet got its verdict", COLUMNS("REASON", "VERDICT", NULL, "MEANING"), ROWS(reasons)},
	{"endings", "how a connection ended", COLUMNS("ENDING", NULL, NULL, "MEANING"), ROWS(endings)},
	{"losses", "what synwarden missed", COLUMNS("LOSS", "METRIC", NULL, "MEANING"), ROWS(losses)},
	{"port-counters", "numbers of each listening port", COLUMNS("FIELD", "METRIC", "LABELS", "MEANING"),
	 ROWS(port_numbers)},
	{"tcp-counters", "events of the host's TCP", COLUMNS("FIELD", "METRIC", "LABELS", "MEANING"), ROWS(tallies)},
	{"tcp-states", "the states of a TCP socket", COLUMNS("STATE", "NUMBER", NULL, "MEANING"), ROWS(states)},
	{"protection", "the states of protection, worst first", COLUMNS("STATE", "REASON", "SEVERITY", "SENTENCE"),
	 ROWS(protection)},
	{"transitions", "what takes a socket to another state", COLUMNS("FROM", "TO", NULL, "CAUSE"),
	 ROWS(transitions)},
};

const size_t reference_count = COUNT_OF(references);

const struct reference *reference__find(const char *name)
{
	for (size_t i = 0; i < reference_count; i++)
		if (!strcmp(references[i].name, name))
			return &references[i];
	return NULL;
}

static const char *cell_text(const char *cell)
{
	return *cell ? cell : "-";
}

static int column_width(const struct reference *reference, size_t column)
{
	size_t width = strlen(reference->headings.cells[column]);

	for (size_t i = 0; i < reference->count; i++)
		if (strlen(reference->rows[i].cells[column]) > width)
			width = strlen(reference->rows[i].cells[column]);
	return width + GAP;
}

static void print_row(FILE *out, const struct reference *reference, const struct reference_row *row)
{
	size_t column;

	for (column = 0; column < REFERENCE_COLUMNS - 1; column++)
		if (row->cells[column])
			fprintf(out, "%-*s", column_width(reference, column), cell_text(row->cells[column]));
	fprintf(out, "%s\n", row->cells[column]);
}

void reference__print(FILE *out, const struct reference *reference)
{
	print_row(out, reference, &reference->headings);
	for (size_t i = 0; i < reference->count; i++)
		print_row(out, reference, &reference->rows[i]);
}
