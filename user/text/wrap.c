// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "text/wrap.h"

/* How much of the text goes into one line. */
static size_t line_length(const char *text)
{
	size_t len = strlen(text), at;

	if (len <= WRAP_COLUMNS)
		return len;
	for (at = WRAP_COLUMNS; at && text[at] != ' '; at--)
		;
	return at ? at : strcspn(text, " ");
}

void print_wrapped(FILE *out, const char *text)
{
	do {
		size_t len = line_length(text);

		fprintf(out, "%.*s\n", (int)len, text);
		text += len;
		text += strspn(text, " ");
	} while (*text);
}
