// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics as a table for `synwarden help` and the documents: read from the text of an empty snapshot, so that it
 * cannot differ from what is served.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoint/endpoint.h"
#include "output/reference.h"

#define FAMILIES_MAX 64

enum { NAME, TYPE, LABELS, HELP };

struct families {
	struct reference_row rows[FAMILIES_MAX];
	size_t count;
};

/* state="CLOSE",le="1.0" -> state; in place. A histogram's `le` is no label of the family. */
static char *label_names(char *labels)
{
	char *from = labels, *to = labels;

	while (*from && *from != '}') {
		size_t name = strcspn(from, "=");

		if (strncmp(from, "le=", 3)) {
			if (to != labels)
				to = stpcpy(to, ", ");
			memmove(to, from, name);
			to += name;
		}
		from += name + strlen("=\"");
		from += strcspn(from, "\"") + 1;
		from += *from == ',';
	}
	*to = '\0';
	return labels;
}

/* The lines of a family are "# HELP NAME TEXT", "# TYPE NAME TYPE", samples; its labels are those of the first one. */
static void take_line(struct families *families, char *line)
{
	static char none[] = "";
	struct reference_row *row = &families->rows[families->count ? families->count - 1 : 0];
	char *name = line + strlen("# HELP "), *rest = strchr(name, ' '), *labels;

	if (*line == '#') {
		*rest++ = '\0';
		if (!strncmp(line, "# TYPE", 6))
			row->cells[TYPE] = rest;
		else if (families->count < FAMILIES_MAX)
			families->rows[families->count++] = (struct reference_row){{name, NULL, NULL, rest}};
	} else if (!row->cells[LABELS]) {
		labels = strchr(line, '{');
		row->cells[LABELS] = labels ? label_names(labels + 1) : none;
	}
}

static char *render_empty(void)
{
	struct snapshot *empty = calloc(1, sizeof(*empty));
	char *text = NULL;
	size_t size;
	FILE *out = empty ? open_memstream(&text, &size) : NULL;

	if (out) {
		empty->port_count = 1;
		empty->http = true;
		metrics__render(out, empty, METRICS_TEXT);
		fclose(out);
	}
	free(empty);
	return text;
}

int metrics__reference(FILE *out)
{
	struct families families = {};
	struct reference reference = {.headings = {{"METRIC", "TYPE", "LABELS", "MEANING"}}, .rows = families.rows};
	char *text = render_empty(), *line, *rest = text;

	if (!text)
		return -1;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			take_line(&families, line);
	reference.count = families.count;
	reference__print(out, &reference);
	free(text);
	return 0;
}
