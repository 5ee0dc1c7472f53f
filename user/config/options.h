/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options as rows: parser, bounds, defaults, error messages, usage, manual page and the keys of the configuration file
 * are all made from the same table.
 */
#ifndef SYNWARDEN_CONFIG_OPTIONS_H
#define SYNWARDEN_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIT_USAGE 2

#define OPTIONS_MAX 32 /* rows of a table */

/* What a row's value is, and the type of its field; kinds.c parses each. */
enum option_kind {
	OPTION_FLAG,	 /* bool: true where given */
	OPTION_NUMBER,	 /* uint32_t within min..max */
	OPTION_CHOICE,	 /* uint32_t: index into choices, "a|b|c" */
	OPTION_TEXT,	 /* const char *, points into argv */
	OPTION_FILE,	 /* the same: the path of a file that is read at the start */
	OPTION_SERVED,	 /* the same: "[ADDR:]PORT[,...]" */
	OPTION_HOSTS,	 /* the same: "NAME[,...]" */
	OPTION_CIDR,	 /* struct prefix */
	OPTION_DURATION, /* uint64_t nanoseconds, within min..max seconds */
	OPTION_WHEN,	 /* uint64_t nanoseconds since the epoch: a time, or how long ago */
	OPTION_STATE,	 /* uint32_t: enum state by name */
	OPTION_LISTEN,	 /* struct listen_at */
	OPTION_COMM,	 /* const char *: a process's name, points into argv */
	OPTION_CGROUP,	 /* struct cgroup_path */
	OPTION_NETNS,	 /* uint32_t: inode number of a network namespace */
};

struct option_row {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	uint32_t min, max;
	const char *value; /* how usage names the value: "N", "CIDR"; for OPTION_CHOICE the choices themselves */
	size_t offset;	   /* into the command's struct of options */
	const char *help;
	const char *fallback; /* the default, as one would type it; NULL: the field is left as it is */
	bool restart;	      /* a reload does not change it */
};

struct option_table {
	const char *command;   /* "run" */
	const char *arguments; /* as usage shows them: "IFACE..."; "" for none */
	const char *summary;
	const char *examples; /* a line each, as one would type it; NULL: none */
	const struct option_row *rows;
	size_t count;
	int min_arguments, max_arguments;
};

struct options_given {
	uint32_t rows; /* a bit for each row of the table */
	char **texts;  /* by row, made here and freed by the caller: values that add up; NULL: the last one counts */
};

/*
 * Sets the defaults of the rows that have one, and parses argv[1..] over them. Options and arguments may be mixed; "--"
 * ends the options; "--name=value" and "--name value" are the same. Returns the number of arguments, which are moved to
 * argv[1..n] in their order, or -EXIT_USAGE after one line on stderr that quotes what was rejected and says what is
 * valid. "-h" and "--help" print the usage to stdout and exit with 0.
 */
int options__parse(const struct option_table *table, int argc, char **argv, void *options);
/* The same, and notes what was given. */
int options__parse_given(const struct option_table *table, int argc, char **argv, void *options,
			 struct options_given *given);
void options__defaults(const struct option_table *table, void *options);
void options__usage(const struct option_table *table);
/* One line on stderr like those of options__parse(), for what only the command can find wrong. Returns -EXIT_USAGE. */
int options__refuse(const struct option_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The row of this name; NULL: there is none. */
const struct option_row *options__find(const struct option_table *table, const char *name);

#endif
