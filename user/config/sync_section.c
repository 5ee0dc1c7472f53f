// SPDX-License-Identifier: GPL-2.0-only
/*
 * A section that comes a second time continues the first.
 */
#include <stdio.h>
#include <string.h>

#include "config/kinds.h"
#include "config/sync_section.h"

#define LIST  "list "
#define NAMES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

#define ERROR(lines, ...) lines__error(lines, (lines)->line, __VA_ARGS__)

static void begin_source(struct sync_section *section, struct sync_settings *sync, const struct lines *lines,
			 const char *name, bool is_crowdsec)
{
	struct sync_source *source = sync_options__find(sync, name) ?: sync_options__add(sync, name, is_crowdsec);

	if (!source) {
		ERROR(lines, "[" LIST "%s]: no room for it: there are at most %d sources", name, SYNC_SOURCES_MAX);
		return;
	}
	source->line = source->line ?: lines->line;
	section->table = is_crowdsec ? &sync_options__crowdsec : &sync_options__list;
	section->options = &source->options;
	section->texts = source->texts;
	section->seen = source->seen;
}

static void begin_list(struct sync_section *section, struct sync_settings *sync, const struct lines *lines,
		       const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= SYNC_NAME_LEN || strspn(name, NAMES) != len || !strcmp(name, SYNC_CROWDSEC))
		ERROR(lines,
		      "[" LIST "NAME]: NAME is of 1 to %d letters, digits, - and _, and not \"" SYNC_CROWDSEC "\"",
		      SYNC_NAME_LEN - 1);
	else
		begin_source(section, sync, lines, name, false);
}

bool sync_section__begin(struct sync_section *section, struct sync_settings *sync, const struct lines *lines,
			 const char *name)
{
	*section = (struct sync_section){};
	snprintf(section->name, sizeof(section->name), "[%.*s]", SYNC_NAME_LEN + 4, name);
	if (!strcmp(name, "sync"))
		*section = (struct sync_section){&sync_options__sync, &sync->options, NULL, sync->seen, "[sync]"};
	else if (!strcmp(name, SYNC_CROWDSEC))
		begin_source(section, sync, lines, name, true);
	else if (!strncmp(name, LIST, strlen(LIST)))
		begin_list(section, sync, lines, name + strlen(LIST));
	else
		return false;
	sync->is_used = true;
	return true;
}

static void refuse_key(const struct sync_section *section, const struct lines *lines, const char *quoted)
{
	char valid[256];
	size_t len = 0;

	for (size_t i = 0; i < section->table->count && len < sizeof(valid); i++)
		len += snprintf(valid + len, sizeof(valid) - len, "%s%s", i ? ", " : "", section->table->rows[i].name);
	ERROR(lines, "%s is not a key: in %s it is one of %s", quoted, section->name, valid);
}

/* NULL: the value is none that the key takes. */
static const char *why_not(const char *key, const char *value)
{
	if (!strcmp(key, "url") && strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0)
		return "a URL that begins with https:// or http://";
	if ((!strcmp(key, "file") || strstr(key, "-file") || !strncmp(key, "tls-", 4)) && *value != '/')
		return "a path that begins with /";
	return *value ? NULL : "a value";
}

void sync_section__take(struct sync_section *section, const struct lines *lines, const char *key, const char *quoted,
			const char *value)
{
	const struct option_row *row = section->table ? options__find(section->table, key) : NULL;
	const char *why;
	size_t i;
	int err;

	if (!section->table)
		return;
	if (!row) {
		refuse_key(section, lines, quoted);
		return;
	}
	i = row - section->table->rows;
	if (section->seen[i]) {
		ERROR(lines, "%s: given twice, first on line %u", key, section->seen[i]);
		return;
	}
	section->seen[i] = lines->line;
	why = why_not(key, value);
	if (kinds__is_text(row))
		err = why || kinds__add(row, value, section->options, &section->texts[i], &why);
	else
		err = kinds__set(row, value, section->options, &why);
	if (err)
		ERROR(lines, "%s: \"%.128s\" is not %s", key, value, why);
}

static const char *what_lacks(const struct sync_source *source)
{
	const struct sync_source_options *options = &source->options;

	if (!source->is_crowdsec)
		return !options->url == !options->file ? "it needs one of url and file" : NULL;
	if (!options->url)
		return "it needs the url of the LAPI";
	if (!options->tls_cert != !options->tls_key)
		return "tls-cert and tls-key belong together";
	if (!options->key_file && !options->tls_cert)
		return "it needs one of key-file and tls-cert; a key: cscli bouncers add HOST";
	return NULL;
}

void sync_section__check(const struct sync_settings *sync, const struct lines *lines)
{
	for (size_t i = 0; i < sync->source_count; i++) {
		const struct sync_source *source = &sync->sources[i];
		const char *lacks = what_lacks(source);

		if (lacks)
			lines__error(lines, source->line, "[%s%s]: %s", source->is_crowdsec ? "" : LIST, source->name,
				     lacks);
	}
}
