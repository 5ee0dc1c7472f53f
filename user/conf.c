// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration file through inih, which is handed one checked line after the other: sections are followed here, as
 * inih reports neither an empty one nor all lines that it cannot make sense of.
 */
#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_lines.h"
#include "log.h"

#define LINE_LEN 256
#define SPACES	 " \t\r"

enum section {
	SECTION_RUN, /* before the first header */
	SECTION_PORT,
	SECTION_LIST,
	SECTION_UNKNOWN,
};

struct reader {
	struct conf *conf;
	struct conf_lines lines;
	enum section section;
	enum list list;		   /* in SECTION_LIST */
	struct port_options *port; /* in SECTION_PORT */
	unsigned unanswered;	   /* line that inih has not made a key and a value of; 0: none */
	unsigned seen[CONF_KEYS];  /* on which line, by row */
	struct {
		unsigned budget, challenge;
	} seen_port[65536];
	unsigned errors;
};

#define ERROR(reader, ...) conf_lines_error(&(reader)->lines, (reader)->lines.line, __VA_ARGS__)

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

static void add_interfaces(struct reader *r, const char *value)
{
	char copy[LINE_LEN], *rest = copy, *name;
	struct conf *conf = r->conf;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((name = strsep(&rest, SPACES))) {
		if (!*name && *value)
			continue;
		if (!*name || strlen(name) >= sizeof(*conf->interfaces) || strchr(name, '/'))
			refuse_value(r, "interface", name, "an interface's name, of 1 to 15 characters");
		else if (conf->interface_count == META_INTERFACES)
			ERROR(r, "interface: \"%s\" is too many: at most %d", name, META_INTERFACES);
		else
			strcpy(conf->interfaces[conf->interface_count++], name);
	}
}

/* Sets an option. A text outlives the line that it stands in; several lines of --protect add up. */
static void set_option(struct reader *r, const struct option_row *row, const char *value)
{
	char **text = &r->conf->texts[row - config__options.rows], *whole;
	const char *why;

	if (options_set(row, value, &r->conf->options, &why)) {
		refuse_value(r, row->name, value, why);
		return;
	}
	if (row->kind != OPTION_TEXT && row->kind != OPTION_SERVED)
		return;
	if (asprintf(&whole, "%s%s%s", *text ? *text : "", *text ? "," : "", value) < 0) {
		ERROR(r, "%s: out of memory", row->name);
		return;
	}
	free(*text);
	*text = whole;
	options_set(row, whole, &r->conf->options, &why);
}

static void refuse_key(struct reader *r, const char *key)
{
	const struct option_table *table = &config__options;
	char valid[512];
	size_t len;

	len = snprintf(valid, sizeof(valid), "interface");
	for (size_t i = 0; i < table->count && len < sizeof(valid); i++)
		if (table->rows[i].offset != offsetof(struct run_options, config))
			len += snprintf(valid + len, sizeof(valid) - len, ", %s", table->rows[i].name);
	ERROR(r, "\"%.64s\" is not a key: before the first section it is one of %s", key, valid);
}

static void take_option(struct reader *r, const char *key, const char *value)
{
	const struct option_row *row = options_find(&config__options, key);

	if (!strcmp(key, "interface"))
		add_interfaces(r, value);
	else if (!row || row->offset == offsetof(struct run_options, config))
		refuse_key(r, key);
	else if (row->kind == OPTION_SERVED || !is_twice(r, &r->seen[row - config__options.rows], key))
		set_option(r, row, value);
}

/* The rows of --port-budget and --challenge say what is valid here, too. */
static void take_port_option(struct reader *r, const char *key, const char *value)
{
	bool is_budget = !strcmp(key, "budget");
	struct port_options *port = r->port;
	struct run_options options;
	const char *why;

	if (!is_budget && strcmp(key, "challenge")) {
		ERROR(r, "\"%.64s\" is not a key: in [port %u] it is one of budget, challenge", key, port->port);
		return;
	}
	if (is_twice(r, is_budget ? &r->seen_port[port->port].budget : &r->seen_port[port->port].challenge, key))
		return;
	if (options_set(options_find(&config__options, is_budget ? "port-budget" : key), value, &options, &why)) {
		refuse_value(r, key, value, why);
	} else if (is_budget) {
		port->has_budget = true;
		port->budget = options.port_budget;
	} else {
		port->has_challenge = true;
		port->challenge = options.challenge;
	}
}

static void add_prefix(struct reader *r, const struct prefix *prefix)
{
	struct prefixes *list = &r->conf->lists[r->list];
	void *grown;

	/* The memory doubles whenever the count is a power of two. */
	if (list->count && (list->count & (list->count - 1))) {
		list->all[list->count++] = *prefix;
		return;
	}
	grown = realloc(list->all, (list->count ? 2 * list->count : 1) * sizeof(*prefix));
	if (!grown) {
		ERROR(r, "out of memory");
		return;
	}
	list->all = grown;
	list->all[list->count++] = *prefix;
}

/* One CIDR a line; '#' begins a comment. */
static void read_list(struct reader *r, struct conf_lines *lines)
{
	char line[LINE_LEN], *text;
	struct prefix prefix;
	const char *why;

	while (conf_lines_next(lines, line, sizeof(line))) {
		line[strcspn(line, "#")] = '\0';
		text = line + strspn(line, SPACES);
		for (size_t len = strlen(text); len && isspace((unsigned char)text[len - 1]);)
			text[--len] = '\0';
		if (!*text)
			continue;
		if (parse_cidr(text, &prefix, &why))
			conf_lines_error(lines, lines->line, "\"%.128s\" is not %s", text, why);
		else
			add_prefix(r, &prefix);
	}
}

static void take_list_entry(struct reader *r, const char *key, const char *value)
{
	const char *section = r->list == LIST_ALLOW ? "allow" : "block", *why;
	struct conf_lines lines;
	struct prefix prefix;

	if (!strcmp(key, "cidr")) {
		if (parse_cidr(value, &prefix, &why))
			refuse_value(r, key, value, why);
		else
			add_prefix(r, &prefix);
	} else if (strcmp(key, "file")) {
		ERROR(r, "\"%.64s\" is not a key: in [%s] it is one of cidr, file", key, section);
	} else if (*value != '/') {
		refuse_value(r, key, value, "a path that begins with /");
	} else if (conf_lines_open(&lines, value, &r->errors, &why)) {
		ERROR(r, "%s: cannot read \"%s\": %s", key, value, why);
	} else {
		read_list(r, &lines);
		conf_lines_close(&lines);
	}
}

static int take_key(void *context, const char *section, const char *key, const char *value)
{
	struct reader *r = context;

	(void)section; /* shortened where it is long; followed here instead */
	r->unanswered = 0;
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
	case SECTION_UNKNOWN:
		break;
	}
	return 1;
}

/* The port's record; a section that comes a second time goes on with the first. */
static void begin_port(struct reader *r, uint16_t number)
{
	struct conf *conf = r->conf;
	size_t i;

	for (i = 0; i < conf->port_count && conf->ports[i].port != number; i++)
		;
	if (i == conf->port_count)
		conf->ports[conf->port_count++] = (struct port_options){.port = number};
	r->port = &conf->ports[i];
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
		ERROR(r, "\"%.64s\" lacks a ]", line);
		return;
	}
	after += strspn(after, SPACES);
	if (*after && !strchr(";#", *after)) {
		ERROR(r, "\"%.64s\" stands behind the ]: a key is on a line of its own", after);
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
	} else {
		r->section = SECTION_UNKNOWN;
		ERROR(r, "[%.64s] is not a section: it is one of [port N], N from 1 to 65535, [allow], [block]", name);
	}
}

/* inih's reader. A line that begins with a blank would be taken as the last value's next line, so none does. */
static char *next_line(char *text, int size, void *context)
{
	struct reader *r = context;
	char line[LINE_LEN], *start;

	if (r->unanswered)
		conf_lines_error(&r->lines, r->unanswered, "neither KEY = VALUE nor [SECTION]");
	r->unanswered = 0;
	if (!conf_lines_next(&r->lines, line, sizeof(line) < (size_t)size - 1 ? sizeof(line) : (size_t)size - 1))
		return NULL;
	start = line + strspn(line, SPACES);
	if (*start == '[')
		begin_section(r, start);
	else if (*start && !strchr(";#", *start))
		r->unanswered = r->lines.line;
	/* Headers are done with. */
	snprintf(text, size, "%s\n", *start == '[' ? "" : start);
	return text;
}

static void check_sizes(struct reader *r, const char *path)
{
	for (unsigned list = 0; list < LIST_MAX; list++) {
		if (r->conf->lists[list].count <= MAX_LIST)
			continue;
		log_error("%s: [%s]: %zu entries; a list holds at most %d", path, list ? "block" : "allow",
			  r->conf->lists[list].count, MAX_LIST);
		r->errors++;
	}
}

static int read_all(struct reader *r, const char *path)
{
	const char *why;

	if (conf_lines_open(&r->lines, path, &r->errors, &why)) {
		log_error("cannot read the configuration file \"%s\": %s", path, why);
		return -1;
	}
	if (ini_parse_stream(next_line, r, take_key, r) < 0) {
		log_error("%s: out of memory", path);
		r->errors++;
	}
	conf_lines_close(&r->lines);
	check_sizes(r, path);
	return conf_lines_result(path, r->errors);
}

void conf__init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	config__defaults(&conf->options);
}

int conf__read(struct conf *conf, const char *path)
{
	struct reader *r = calloc(1, sizeof(*r));
	int ret = -1;

	conf__init(conf);
	conf->ports = calloc(65536, sizeof(*conf->ports));
	if (r && conf->ports) {
		r->conf = conf;
		ret = read_all(r, path);
	}
	free(r);
	conf->options.ports = conf->ports;
	conf->options.port_count = conf->port_count;
	if (ret)
		conf__free(conf);
	return ret;
}

void conf__free(struct conf *conf)
{
	free(conf->ports);
	for (unsigned i = 0; i < CONF_KEYS; i++)
		free(conf->texts[i]);
	for (unsigned list = 0; list < LIST_MAX; list++)
		free(conf->lists[list].all);
	conf__init(conf);
}
