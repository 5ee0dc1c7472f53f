// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows -> getopt_long()'s tables, values, messages and usage.
 */
#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "options.h"
#include "print.h"

#define OPTIONS_MAX 32
#define LONG_ONLY   256 /* getopt_long() returns this plus the row's number for --name, and the letter for -n */

static _Thread_local char why_text[128];

/* What getopt_long() takes: "-:" for arguments in their order and ':' for a missing value, then the letters. */
struct getopt_tables {
	char letters[2 + 2 * OPTIONS_MAX + sizeof("h")];
	struct option longs[OPTIONS_MAX + 2];
};

int options_refuse(const struct option_table *table, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_clean(text);
	log_refused(table->command, text);
	return -EXIT_USAGE;
}

static bool takes_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG;
}

static void build_tables(const struct option_table *table, struct getopt_tables *tables)
{
	char *letter = stpcpy(tables->letters, "-:");
	size_t i;

	assert(table->count <= OPTIONS_MAX);
	for (i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		tables->longs[i] = (struct option){
			.name = row->name,
			.has_arg = takes_value(row) ? required_argument : no_argument,
			.val = LONG_ONLY + (int)i,
		};
		if (row->letter)
			letter += sprintf(letter, "%c%s", row->letter, takes_value(row) ? ":" : "");
	}
	strcpy(letter, "h");
	tables->longs[i++] = (struct option){.name = "help", .val = 'h'};
	tables->longs[i] = (struct option){0};
}

static const struct option_row *find_row(const struct option_table *table, int found)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (found == LONG_ONLY + (int)i || (found && found == table->rows[i].letter))
			return &table->rows[i];
	}
	return NULL;
}

/* getopt_long() would take "--dur" for --duration, until a new option makes it ambiguous: names match exactly here. */
static bool is_unknown_name(const struct getopt_tables *tables, const char *element)
{
	const struct option *option;
	size_t len;

	if (!element || strncmp(element, "--", 2) || !element[2])
		return false;
	element += 2;
	len = strcspn(element, "=");
	for (option = tables->longs; option->name; option++) {
		if (strlen(option->name) == len && !strncmp(option->name, element, len))
			return false;
	}
	return true;
}

static int parse_choice(const char *text, const char *choices, uint32_t *choice, const char **why)
{
	const char *at = choices;
	uint32_t i;
	size_t len;

	for (i = 0;; i++, at += len + 1) {
		len = strcspn(at, "|");
		if (strlen(text) == len && !strncmp(at, text, len)) {
			*choice = i;
			return 0;
		}
		if (!at[len])
			break;
	}
	snprintf(why_text, sizeof(why_text), "one of %s", choices);
	*why = why_text;
	return -1;
}

/* As parse_duration() would read it, in the greatest unit that leaves no rest. */
static int print_seconds(char *buf, size_t size, uint32_t seconds)
{
	if (seconds && seconds % 86400 == 0)
		return snprintf(buf, size, "%ud", seconds / 86400);
	if (seconds && seconds % 3600 == 0)
		return snprintf(buf, size, "%uh", seconds / 3600);
	if (seconds && seconds % 60 == 0)
		return snprintf(buf, size, "%um", seconds / 60);
	return snprintf(buf, size, "%us", seconds);
}

static int parse_bounded_duration(const char *text, const struct option_row *row, uint64_t *duration, const char **why)
{
	char least[16], most[16];
	uint64_t ns;

	if (parse_duration(text, &ns, why))
		return -1;
	if (ns < row->min * NS_PER_S || ns > row->max * NS_PER_S) {
		print_seconds(least, sizeof(least), row->min);
		print_seconds(most, sizeof(most), row->max);
		snprintf(why_text, sizeof(why_text), "a duration from %s to %s", least, most);
		*why = why_text;
		return -1;
	}
	*duration = ns;
	return 0;
}

static int set_value(const struct option_row *row, const char *text, void *options, const char **why)
{
	void *field = (char *)options + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_NUMBER:
		return parse_number(text, row->min, row->max, field, why);
	case OPTION_CHOICE:
		return parse_choice(text, row->value, field, why);
	case OPTION_TEXT:
		*(const char **)field = text;
		return 0;
	case OPTION_SERVED:
		if (parse_served_list(text, NULL, NULL, why))
			return -1;
		*(const char **)field = text;
		return 0;
	case OPTION_CIDR:
		return parse_cidr(text, field, why);
	case OPTION_DURATION:
		return parse_bounded_duration(text, row, field, why);
	case OPTION_STATE:
		return parse_state(text, field, why);
	case OPTION_LISTEN:
		return parse_listen(text, field, why);
	case OPTION_COMM:
		return parse_comm(text, field, why);
	case OPTION_CGROUP:
		return parse_cgroup(text, field, why);
	case OPTION_NETNS:
		return parse_netns(text, field, why);
	}
	return -1;
}

const struct option_row *options_find(const struct option_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->rows[i].name, name))
			return &table->rows[i];
	return NULL;
}

int options_set(const struct option_row *row, const char *text, void *options, const char **why)
{
	uint32_t no;

	if (row->kind != OPTION_FLAG)
		return set_value(row, text, options, why);
	if (parse_choice(text, "yes|no", &no, why))
		return -1;
	*(bool *)((char *)options + row->offset) = !no;
	return 0;
}

/* What getopt_long() itself refused; the unknown names of several letters never come to it. */
static int refuse(const struct option_table *table, int found, const char *element)
{
	const struct option_row *row = find_row(table, optopt);

	if (found == ':')
		return options_refuse(table, "--%s needs a value: %s", row->name, row->value);
	if (row || optopt == 'h')
		return options_refuse(table, "\"%.128s\": --%s takes no value", element, row ? row->name : "help");
	return options_refuse(table, "unknown option \"-%c\"", optopt);
}

static int take_option(const struct option_table *table, int found, const char *element, void *options)
{
	const struct option_row *row = find_row(table, found);
	const char *why;

	if (found == 'h') {
		options_usage(table);
		exit(EXIT_SUCCESS);
	}
	if (!row)
		return refuse(table, found, element);
	if (set_value(row, optarg, options, &why))
		return options_refuse(table, "--%s: \"%.128s\" is not %s", row->name, optarg, why);
	return 0;
}

static int check_arguments(const struct option_table *table, int count, char **arguments)
{
	if (count < table->min_arguments)
		return options_refuse(table, "missing argument: %s", table->arguments);
	if (count > table->max_arguments)
		return options_refuse(table, "unexpected argument \"%.128s\": it takes %s",
				      arguments[table->max_arguments],
				      table->max_arguments ? table->arguments : "none");
	return count;
}

int options_parse(const struct option_table *table, int argc, char **argv, void *options)
{
	struct getopt_tables tables;
	int count = 0;
	int found;

	build_tables(table, &tables);
	opterr = 0;
	optind = 0; /* the C library's sign to begin anew; it goes on from 1 */
	for (;;) {
		const char *element = argv[optind ? optind : 1];

		if (is_unknown_name(&tables, element))
			return options_refuse(table, "unknown option \"%.128s\"", element);
		found = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		if (found == -1)
			break;
		if (found == 1)
			argv[1 + count++] = optarg;
		else if (take_option(table, found, element, options))
			return -EXIT_USAGE;
	}
	while (optind < argc)
		argv[1 + count++] = argv[optind++];
	return check_arguments(table, count, argv + 1);
}

static size_t usage_width(const struct option_row *row)
{
	return strlen(row->name) + (takes_value(row) ? 1 + strlen(row->value) : 0);
}

static void print_row(const struct option_row *row, size_t width)
{
	char letter[] = "    ";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	printf("  %s--%s%s%s%*s  %s\n", letter, row->name, takes_value(row) ? " " : "",
	       takes_value(row) ? row->value : "", (int)(width - usage_width(row)), "", row->help);
}

void options_usage(const struct option_table *table)
{
	const struct option_row help = {
		.name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "print this and exit"};
	size_t width = usage_width(&help);
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (usage_width(&table->rows[i]) > width)
			width = usage_width(&table->rows[i]);
	}
	printf("usage: synwarden %s [OPTIONS]%s%s\n%s\n\n", table->command, *table->arguments ? " " : "",
	       table->arguments, table->summary);
	for (i = 0; i < table->count; i++)
		print_row(&table->rows[i], width);
	print_row(&help, width);
}
