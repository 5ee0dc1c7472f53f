/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command line. Input: a byte that says whose options, and the arguments, one a line. A refusal is reported in one
 * line that a terminal can show; what is taken is within bounds, and the same however options are written.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_OPTIONS_H
#define SYNWARDEN_TESTS_FUZZ_OPTIONS_H

#include "config/options.h"
#include "config/run_options.h"
#include "fuzz.h"

#define ARGUMENTS_MAX 40
#define SECOND	      1000000000ULL

/* The kinds that `run` has none of; of these, cgroup and netns open what they are given, and are left out. */
struct other_options {
	struct prefix cidr;
	uint64_t duration;
	uint32_t state, choice;
	const char *comm;
	bool flag;
};

static const struct option_row other_rows[] = {
	{"cidr", 'a', OPTION_CIDR, 0, 0, "CIDR", offsetof(struct other_options, cidr), .help = "a prefix"},
	{"for", 'f', OPTION_DURATION, 1, 31536000, "TIME", offsetof(struct other_options, duration),
	 .help = "a duration"},
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct other_options, state), .help = "a state"},
	{"choice", 'c', OPTION_CHOICE, 0, 0, "one|two|three", offsetof(struct other_options, choice),
	 .help = "a choice"},
	{"comm", 'p', OPTION_COMM, 0, 0, "NAME", offsetof(struct other_options, comm), .help = "a name"},
	{"flag", 'x', OPTION_FLAG, 0, 0, NULL, offsetof(struct other_options, flag), .help = "a flag"},
};

static const struct option_table other_options = {
	.command = "other",
	.arguments = "WHAT [MORE]",
	.summary = "Has the other kinds of options.",
	.rows = other_rows,
	.count = sizeof(other_rows) / sizeof(*other_rows),
	.min_arguments = 1,
	.max_arguments = 2,
};

union any_options {
	struct run_options run;
	struct other_options other;
	uint8_t bytes[sizeof(struct run_options)];
};

/* "--help" and "-h" print, and end the process. */
static bool asks_for_help(const char *argument)
{
	return !strcmp(argument, "--help") || (argument[0] == '-' && argument[1] != '-' && strchr(argument, 'h'));
}

/* Cuts `text` into argv[1..]; returns how many there are with the command's name, 0 where these cannot be tried. */
static int cut(char *text, char *argv[ARGUMENTS_MAX + 2])
{
	int argc = 1;

	argv[0] = "fuzz";
	for (char *line; (line = strsep(&text, "\n"));) {
		if (argc > ARGUMENTS_MAX || asks_for_help(line))
			return 0;
		argv[argc++] = line;
	}
	argv[argc] = NULL;
	return argc;
}

static void check_arguments_are_given(char **argv, int count, char *const *given, int argc)
{
	for (int i = 1, from = 1; i <= count; i++, from++) {
		while (from < argc && given[from] != argv[i])
			from++;
		PROPERTY(from < argc, "argument %d is none of those given, or out of order", i);
	}
}

static int try_options(const struct option_table *table, int argc, char *const *given, union any_options *options)
{
	struct fuzz_said said;
	char *argv[ARGUMENTS_MAX + 2];
	size_t lines;
	int count;

	memcpy(argv, given, (argc + 1) * sizeof(*argv));
	memset(options, 0, sizeof(*options));
	fuzz_listen(&said);
	count = options__parse(table, argc, argv, options);
	lines = fuzz_heard(&said);
	PROPERTY(count >= 0 || count == -EXIT_USAGE, "returned %d", count);
	PROPERTY(lines == (count < 0), "returned %d after: %s", count, said.text);
	PROPERTY(!fuzz_has_controls(said.text), "control characters in: %s", said.text);
	free(said.text);
	if (count < 0)
		return count;
	PROPERTY(count >= table->min_arguments && count <= table->max_arguments, "%d arguments", count);
	check_arguments_are_given(argv, count, given, argc);
	return count;
}

static uint32_t count_choices(const struct option_row *row)
{
	uint32_t count = 1;

	for (const char *at = row->value; (at = strchr(at, '|')); at++)
		count++;
	return count;
}

static void check_within(const struct option_table *table, const union any_options *options)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		const void *field = (const char *)options + row->offset;
		const uint32_t *number = field;
		const uint64_t *ns = field;

		if (row->kind == OPTION_NUMBER && *number) /* 0: not given */
			PROPERTY(*number >= row->min && *number <= row->max, "--%s: %u", row->name, *number);
		if (row->kind == OPTION_CHOICE)
			PROPERTY(*number < count_choices(row), "--%s: %u", row->name, *number);
		if (row->kind == OPTION_DURATION && *ns)
			PROPERTY(*ns >= row->min * SECOND && *ns <= row->max * SECOND, "--%s: %lu", row->name, *ns);
	}
}

/* Where nothing is a value of its own, "--name=value" may be "--name", "value": the same options. */
static void check_apart(const struct option_table *table, int argc, char *const *given, int count,
			const union any_options *options)
{
	char *argv[2 * ARGUMENTS_MAX + 3], *copies[ARGUMENTS_MAX + 2] = {};
	union any_options apart = {};
	int n = 1, got;

	argv[0] = given[0];
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(given[i], '=');

		if (given[i][0] == '-' && (given[i][1] != '-' || !equals))
			goto cleanup; /* what follows may be its value */
		argv[n++] = given[i];
		if (given[i][0] != '-')
			continue;
		argv[n - 1] = copies[i] = strndup(given[i], equals - given[i]);
		argv[n++] = equals + 1;
	}
	argv[n] = NULL;
	got = options__parse(table, n, argv, &apart);
	PROPERTY(got == count, "%d arguments, and with values apart %d", count, got);
	PROPERTY(!memcmp(options->bytes, apart.bytes, sizeof(apart.bytes)), "with values apart, other options");
cleanup:
	for (int i = 0; i < argc; i++)
		free(copies[i]);
}

static void fuzz_options(const uint8_t *data, size_t size)
{
	const struct option_table *table;
	union any_options options;
	char *given[ARGUMENTS_MAX + 2], *text;
	int argc, count;

	if (!size)
		return;
	table = *data == 'r' ? &run_options__options : &other_options;
	text = fuzz_text(data + 1, size - 1);
	argc = cut(text, given);
	count = argc ? try_options(table, argc, given, &options) : -1;
	if (count >= 0) {
		check_within(table, &options);
		check_apart(table, argc, given, count, &options);
	}
	free(text);
}

#endif
