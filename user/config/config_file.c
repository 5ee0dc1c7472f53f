// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines are split here and not by inih, which reports neither an empty section nor every malformed line, and cuts
 * long lines and sections silently.
 */
#include <stdlib.h>
#include <string.h>

#include "config/cidr.h"
#include "config/config_file.h"
#include "config/kinds.h"
#include "config/lines.h"
#include "config/list_sources.h"
#include "config/sync_section.h"
#include "config/values.h"
#include "text/log.h"

#define LINE_LEN 256
#define NAME_LEN 24
#define SPACES	 " \t\r"

/* What messages quote of a file: see lines__quote(). */
#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ "

enum section {
	SECTION_RUN, /* before the first header */
	SECTION_PORT,
	SECTION_LIST,
	SECTION_SYNC, /* or of a source of it */
	SECTION_UNKNOWN,
};

/* Keys of [port N], and the options that they stand in for. */
enum port_key {
	PORT_KEY_BUDGET,
	PORT_KEY_CHALLENGE,
	PORT_KEY_STRAY_BUDGET,
	PORT_KEY_MAX,
};

static const struct {
	const char *name, *option;
} port_keys[PORT_KEY_MAX] = {
	[PORT_KEY_BUDGET] = {"budget", "port-budget"},
	[PORT_KEY_CHALLENGE] = {"challenge", "challenge"},
	[PORT_KEY_STRAY_BUDGET] = {"stray-budget", "stray-budget"},
};

struct reader {
	struct settings *settings;
	struct lines lines;
	enum section section;
	enum list list;		   /* in SECTION_LIST */
	struct port_options *port; /* in SECTION_PORT */
	struct sync_section sync;  /* in SECTION_SYNC */
	char interface[META_INTERFACES][INTERFACE_NAME_LEN];
	unsigned interfaces;	    /* so far */
	unsigned seen[OPTIONS_MAX]; /* on which line, by row */
	unsigned seen_port[65536][PORT_KEY_MAX];
	unsigned errors;
};

#define ERROR(reader, ...) lines__error(&(reader)->lines, (reader)->lines.line, __VA_ARGS__)

/* Whether text may be meant for the name of a key or a section. */
static bool is_name(const char *text)
{
	return strlen(text) <= NAME_LEN && strspn(text, NAME) == strlen(text);
}

static const char *quote_name(char buf[LINES_QUOTE_LEN], const char *text)
{
	return lines__quote(buf, text, is_name(text) ? NAME : "");
}

/* True, and an error, where the key was there before. */
static bool is_twice(struct reader *r, unsigned *seen, const char *key)
{
	if (*seen) {
		ERROR(r, "%s: given twice, first on line %u", key, *seen);
		return true;
	}
	*seen = r->lines.line;
	return false;
}

static void refuse_value(struct reader *r, const char *key, const char *value, const char *why)
{
	ERROR(r, "%s: \"%.128s\" is not %s", key, value, why);
}

static bool is_named(const struct reader *r, const char *name)
{
	for (unsigned i = 0; i < r->interfaces; i++)
		if (!strcmp(r->interface[i], name))
			return true;
	return false;
}

static void add_interface(struct reader *r, const char *name)
{
	struct settings *settings = r->settings;
	const char *why;

	if (parse_interface(name, &why)) {
		refuse_value(r, "interface", name, why);
	} else if (is_named(r, name)) {
		ERROR(r, "interface: \"%s\" is named twice", name);
	} else if (r->interfaces == META_INTERFACES) {
		ERROR(r, "interface: \"%s\" is too many: at most %d", name, META_INTERFACES);
	} else {
		strcpy(r->interface[r->interfaces++], name);
		if (!settings->interfaces_given)
			strcpy(settings->interfaces[settings->interface_count++], name);
	}
}

static void add_interfaces(struct reader *r, const char *value)
{
	char copy[LINE_LEN], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((name = strsep(&rest, SPACES)))
		if (*name || !*value)
			add_interface(r, name);
}

/* Sets an option that the command line does not; a text outlives its line. */
static void set_option(struct reader *r, const struct option_row *row, const char *value)
{
	size_t i = row - run_options__options.rows;
	bool given = r->settings->given & 1U << i;
	struct run_options checked;
	const char *why;
	int err;

	if (!given && kinds__is_text(row))
		err = kinds__add(row, value, &r->settings->options, &r->settings->texts[i], &why);
	else
		err = kinds__set(row, value, given ? &checked : &r->settings->options, &why);
	if (err)
		refuse_value(r, row->name, value, why);
}

static void refuse_key(struct reader *r, const char *key)
{
	const struct option_table *table = &run_options__options;
	char valid[512], quoted[LINES_QUOTE_LEN];
	size_t len;

	len = snprintf(valid, sizeof(valid), "interface");
	for (size_t i = 0; i < table->count && len < sizeof(valid); i++)
		if (table->rows[i].offset != offsetof(struct run_options, config))
			len += snprintf(valid + len, sizeof(valid) - len, ", %s", table->rows[i].name);
	ERROR(r, "%s is not a key: before the first section it is one of %s", quote_name(quoted, key), valid);
}

static void take_option(struct reader *r, const char *key, const char *value)
{
	const struct option_row *row = options__find(&run_options__options, key);

	if (!strcmp(key, "interface"))
		add_interfaces(r, value);
	else if (!row || row->offset == offsetof(struct run_options, config))
		refuse_key(r, key);
	else if (kinds__adds_up(row) || !is_twice(r, &r->seen[row - run_options__options.rows], key))
		set_option(r, row, value);
}

/* Sets what the row of the option of `run` read into `options`. */
static void set_port_option(struct port_options *port, enum port_key key, const struct run_options *options)
{
	switch (key) {
	case PORT_KEY_BUDGET:
		port->has_budget = true;
		port->budget = options->port_budget;
		break;
	case PORT_KEY_CHALLENGE:
		port->has_challenge = true;
		port->challenge = options->challenge;
		break;
	case PORT_KEY_STRAY_BUDGET:
		port->has_stray_budget = true;
		port->stray_budget = options->stray_budget;
		break;
	case PORT_KEY_MAX:
		break;
	}
}

/* The rows of the options say what is valid here, too. */
static void take_port_option(struct reader *r, const char *key, const char *value)
{
	struct port_options *port = r->port;
	char quoted[LINES_QUOTE_LEN];
	enum port_key found = 0;
	struct run_options options;
	const char *why;

	while (found < PORT_KEY_MAX && strcmp(key, port_keys[found].name))
		found++;
	if (found == PORT_KEY_MAX) {
		ERROR(r, "%s is not a key: in [port %u] it is one of budget, challenge, stray-budget",
		      quote_name(quoted, key), port->port);
		return;
	}
	if (is_twice(r, &r->seen_port[port->port][found], key))
		return;
	if (kinds__set(options__find(&run_options__options, port_keys[found].option), value, &options, &why))
		refuse_value(r, key, value, why);
	else
		set_port_option(port, found, &options);
}

/* Cuts off blanks at the end; returns what follows those at the beginning. */
static char *trim(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(SPACES, text[len - 1]))
		len--;
	text[len] = '\0';
	return text + strspn(text, SPACES);
}

static void take_list_entry(struct reader *r, const char *key, const char *value)
{
	const char *section = r->list == LIST_ALLOW ? "allow" : "block", *why;
	char quoted[LINES_QUOTE_LEN];
	struct prefix prefix;

	if (!strcmp(key, "cidr")) {
		if (parse_cidr(value, &prefix, &why))
			refuse_value(r, key, value, why);
		else if (prefixes__add(&r->settings->cidrs[r->list], &prefix))
			ERROR(r, "out of memory");
	} else if (strcmp(key, "file")) {
		ERROR(r, "%s is not a key: in [%s] it is one of cidr, file", quote_name(quoted, key), section);
	} else if (*value != '/') {
		refuse_value(r, key, value, "a path that begins with /");
	} else if (!r->settings->without_lists && list_sources__add(r->settings, r->list, value)) {
		ERROR(r, "out of memory");
	}
}

static void take_key(struct reader *r, const char *key, const char *value)
{
	char quoted[LINES_QUOTE_LEN];

	switch (r->section) {
	case SECTION_RUN:
		take_option(r, key, value);
		break;
	case SECTION_PORT:
		take_port_option(r, key, value);
		break;
	case SECTION_LIST:
		take_list_entry(r, key, value);
		break;
	case SECTION_SYNC:
		sync_section__take(&r->sync, &r->lines, key, quote_name(quoted, key), value);
		break;
	case SECTION_UNKNOWN:
		break;
	}
}

/* The port's record; a section that comes a second time continues the first. */
static void begin_port(struct reader *r, uint16_t number)
{
	struct settings *settings = r->settings;
	size_t i;

	for (i = 0; i < settings->options.port_count && settings->options.ports[i].port != number; i++)
		;
	if (i == settings->options.port_count)
		settings->options.ports[settings->options.port_count++] = (struct port_options){.port = number};
	r->port = &settings->options.ports[i];
	r->section = SECTION_PORT;
}

/* `line` begins with '['. What stands behind the ']' may only be a comment. */
static void begin_section(struct reader *r, const char *line)
{
	size_t len = strcspn(line, "]");
	const char *after = line + len + 1, *why;
	char name[LINE_LEN];
	uint32_t port;

	r->section = SECTION_UNKNOWN;
	if (!line[len]) {
		ERROR(r, "a section's name lacks a ]");
		return;
	}
	after += strspn(after, SPACES);
	if (*after && !strchr(";#", *after)) {
		ERROR(r, "text behind a ]: a key is on a line of its own");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)len - 1, line + 1);
	r->section = SECTION_LIST;
	if (!strcmp(name, "allow")) {
		r->list = LIST_ALLOW;
	} else if (!strcmp(name, "block")) {
		r->list = LIST_BLOCK;
	} else if (!strncmp(name, "port ", 5) && parse_number(name + 5, 1, 65535, &port, &why) == 0) {
		begin_port(r, port);
	} else if (sync_section__begin(&r->sync, &r->settings->sync, &r->lines, name)) {
		r->section = SECTION_SYNC;
	} else {
		r->section = SECTION_UNKNOWN;
		ERROR(r,
		      "[%s] is not a section: it is one of [port N], N from 1 to 65535, [allow], [block], [sync], "
		      "[crowdsec], [list NAME]",
		      is_name(name) ? name : "...");
	}
}

/* Cuts off what stands behind a ';' with a blank before it. */
static void cut_comment(char *line)
{
	for (char *at = strchr(line, ';'); at; at = strchr(at + 1, ';'))
		if (at > line && strchr(SPACES, at[-1])) {
			*at = '\0';
			return;
		}
}

static void take_line(struct reader *r, char *line)
{
	char *start = line + strspn(line, SPACES), *value;

	if (*start == '[')
		begin_section(r, start);
	if (!*start || strchr("[;#", *start))
		return;
	cut_comment(start);
	value = strpbrk(start, "=:");
	if (!value) {
		ERROR(r, "neither KEY = VALUE nor [SECTION]");
		return;
	}
	*value++ = '\0';
	take_key(r, trim(start), trim(value));
}

static int read_all(struct reader *r, const char *path)
{
	char line[LINE_LEN];
	const char *why;

	if (lines__open(&r->lines, path, &r->errors, &why)) {
		log_error("cannot read the configuration file \"%s\": %s", path, why);
		return -1;
	}
	while (lines__next(&r->lines, line, sizeof(line)))
		take_line(r, line);
	sync_section__check(&r->settings->sync, &r->lines);
	if (r->settings->sync.is_used)
		r->settings->options.fleet_entries = r->settings->sync.options.max_entries;
	lines__close(&r->lines);
	r->errors += list_sources__join(r->settings) != 0;
	return lines_result(path, r->errors);
}

int config_file__read(struct settings *settings, const char *path)
{
	struct reader *r = calloc(1, sizeof(*r));
	int ret = -1;

	settings->options.ports = calloc(65536, sizeof(*settings->options.ports));
	if (r && settings->options.ports) {
		r->settings = settings;
		ret = read_all(r, path);
	} else {
		log_error("%s: out of memory", path);
	}
	free(r);
	if (ret)
		settings__clear(settings);
	return ret;
}
