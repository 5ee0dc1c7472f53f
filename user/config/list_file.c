// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file in which one line in ten is bad is taken for something else than a list, or for a broken one.
 */
#include <stdio.h>
#include <string.h>

#include "config/cidr.h"
#include "config/lines.h"
#include "config/list_file.h"
#include "text/address.h"
#include "text/log.h"

#define LINE_LEN       4096 /* a JSON object may be long */
#define BLANKS	       " \t\r"
#define ENTRY_LETTERS  "0123456789abcdefABCDEF.:/- " /* what messages quote of a file: see lines__quote() */
#define GOOD_PER_BAD   10
#define WARNINGS_SHOWN 20
#define PREFIXES_MAX   (2 * LIST_ENTRIES_MAX) /* a range may stand for more than a hundred */

struct reader {
	struct lines lines;
	struct prefixes found;
	unsigned entries; /* lines that are not blank, or too long */
	unsigned bad;
	unsigned masked;      /* entries with bits behind their length */
	unsigned masked_line; /* the first */
};

static void read_entry(struct reader *reader, char *text)
{
	size_t len = strlen(text);
	char quoted[LINES_QUOTE_LEN];
	const char *why;
	bool masked;

	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	text += strspn(text, BLANKS);
	if (!*text)
		return;
	reader->entries++;
	if (parse_list_entry(text, &reader->found, &masked, &why)) {
		lines__error(&reader->lines, reader->lines.line, "%s is not %s",
			     lines__quote(quoted, text, ENTRY_LETTERS), why);
		return;
	}
	if (masked && !reader->masked++)
		reader->masked_line = reader->lines.line;
}

static int judge(const struct reader *reader, const char *path, const char **why)
{
	static _Thread_local char text[96];

	if (reader->bad > WARNINGS_SHOWN)
		log_warn("%s: %u more bad lines", path, reader->bad - WARNINGS_SHOWN);
	if (reader->lines.failed) {
		*why = "it cannot be read in full";
		return -1;
	}
	if (reader->found.count > PREFIXES_MAX) {
		*why = "it has too many entries";
		return -1;
	}
	if (reader->bad * GOOD_PER_BAD > reader->entries) {
		snprintf(text, sizeof(text), "%u of its %u lines are bad", reader->bad, reader->entries);
		*why = text;
		return -1;
	}
	if (reader->masked)
		log_notice("%s:%u: bits are set behind the prefix length, and ignored; so in %u entries", path,
			   reader->masked_line, reader->masked);
	return 0;
}

static int read_all(struct reader *reader, struct prefixes *prefixes, unsigned *bad, const char **why)
{
	char line[LINE_LEN];
	unsigned bad_before = 0;
	int ret;

	reader->lines.is_list = true;
	while (reader->found.count <= PREFIXES_MAX && lines__next(&reader->lines, line, sizeof(line))) {
		reader->entries += reader->bad - bad_before; /* a line that is too long */
		read_entry(reader, line);
		bad_before = reader->bad;
	}
	ret = judge(reader, reader->lines.path, why);
	lines__close(&reader->lines);
	*bad = reader->bad;
	if (!ret && !prefixes->all) {
		*prefixes = reader->found; /* without a second copy */
		return 0;
	}
	if (!ret && prefixes__add_all(prefixes, &reader->found)) {
		*why = "out of memory";
		ret = -1;
	}
	prefixes__free(&reader->found);
	return ret;
}

int list_file__read_stream(FILE *in, const char *name, struct prefixes *prefixes, unsigned *bad, const char **why)
{
	struct reader reader = {};

	lines__open_stream(&reader.lines, in, name, &reader.bad);
	return read_all(&reader, prefixes, bad, why);
}

int list_file__read(const char *path, struct prefixes *prefixes, unsigned *bad, const char **why)
{
	struct reader reader = {};

	*bad = 0;
	if (!strcmp(path, "-"))
		return list_file__read_stream(stdin, "standard input", prefixes, bad, why);
	if (lines__open(&reader.lines, path, &reader.bad, why))
		return -1;
	return read_all(&reader, prefixes, bad, why);
}
