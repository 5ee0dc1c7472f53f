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

#include "config/kinds.h"
#include "config/options.h"
#include "text/clean.h"
#include "text/log.h"
#include "text/suggest.h"

#define LONG_ONLY 256 /* getopt_long() returns this plus the row's number for --name, and the letter for -n */

/* What getopt_long() takes: "-:" for arguments in their order and ':' for a missing value, then the letters. */
struct getopt_tables {
	char letters[2 + 2 * OPTIONS_MAX + sizeof("h")];
	struct option longs[OPTIONS_MAX + 2];
};

int options__refuse(const struct option_table *table, const char *format, ...)
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

static int refuse_name(const struct option_table *table, const struct getopt_tables *tables, const char *element)
{
	struct suggestion suggestion = {.typed = element + 2, .len = strcspn(element + 2, "=")};
	char meant[SUGGEST_LEN];

	for (const struct option *option = tables->longs; option->name; option++)
		suggest__consider(&suggestion, option->name);
	return options__refuse(table, "unknown option \"%.128s\"%s", element, suggest__text(meant, &suggestion, "--"));
}

const struct option_row *options__find(const struct option_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->rows[i].name, name))
			return &table->rows[i];
	return NULL;
}

void options__defaults(const struct option_table *table, void *options)
{
	const char *why;

	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].fallback && kinds__set(&table->rows[i], table->rows[i].fallback, options, &why))
			assert(!"a default is not valid");
}

/* An error that getopt_long() found; unknown names of several letters are refused before. */
static int refuse(const struct option_table *table, int found, const char *element)
{
	const struct option_row *row = find_row(table, optopt);

	if (found == ':')
		return options__refuse(table, "--%s needs a value: %s", row->name, row->value);
	if (row || optopt == 'h')
		return options__refuse(table, "\"%.128s\": --%s takes no value", element, row ? row->name : "help");
	return options__refuse(table, "unknown option \"-%c\"", optopt);
}

static int set(const struct option_row *row, const char *text, void *options, char **kept, const char **why)
{
	return kept && kinds__adds_up(row) ? kinds__add(row, text, options, kept, why)
					   : kinds__set(row, text, options, why);
}

static int take_option(const struct option_table *table, int found, const char *element, void *options,
		       struct options_given *given)
{
	const struct option_row *row = find_row(table, found);
	const char *why;
	size_t i;

	if (found == 'h') {
		options__usage(table);
		exit(EXIT_SUCCESS);
	}
	if (!row)
		return refuse(table, found, element);
	i = row - table->rows;
	if (set(row, takes_value(row) ? optarg : "yes", options, given->texts ? &given->texts[i] : NULL, &why))
		return options__refuse(table, "--%s: \"%.128s\" is not %s", row->name, optarg, why);
	given->rows |= 1U << i;
	return 0;
}

static int check_arguments(const struct option_table *table, int count, char **arguments)
{
	if (count < table->min_arguments)
		return options__refuse(table, "missing argument: %s", table->arguments);
	if (count > table->max_arguments)
		return options__refuse(table, "unexpected argument \"%.128s\": it takes %s",
				       arguments[table->max_arguments],
				       table->max_arguments ? table->arguments : "none");
	return count;
}

int options__parse_given(const struct option_table *table, int argc, char **argv, void *options,
			 struct options_given *given)
{
	struct getopt_tables tables;
	int count = 0;
	int found;

	given->rows = 0;
	options__defaults(table, options);
	build_tables(table, &tables);
	opterr = 0;
	optind = 0; /* tells glibc to start again; it continues from 1 */
	for (;;) {
		const char *element = argv[optind ? optind : 1];

		if (is_unknown_name(&tables, element))
			return refuse_name(table, &tables, element);
		found = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		if (found == -1)
			break;
		if (found == 1)
			argv[1 + count++] = optarg;
		else if (take_option(table, found, element, options, given))
			return -EXIT_USAGE;
	}
	while (optind < argc)
		argv[1 + count++] = argv[optind++];
	return check_arguments(table, count, argv + 1);
}

int options__parse(const struct option_table *table, int argc, char **argv, void *options)
{
	struct options_given given = {};

	return options__parse_given(table, argc, argv, options, &given);
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
	printf("  %s--%s%s%s%*s  %s", letter, row->name, takes_value(row) ? " " : "",
	       takes_value(row) ? row->value : "", (int)(width - usage_width(row)), "", row->help);
	if (row->fallback)
		printf("; default %s", row->fallback);
	puts(row->restart ? "; a reload does not change it" : "");
}

void options__usage(const struct option_table *table)
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
	if (table->examples)
		printf("\nExamples:\n%s", table->examples);
}
