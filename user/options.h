/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options as rows: parser, bounds, error messages and usage are all made from the same table.
 */
#ifndef SYNWARDEN_OPTIONS_H
#define SYNWARDEN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroups.h"
#include "types.h"

#define EXIT_USAGE 2

enum option_kind {
	OPTION_FLAG,	 /* bool: true where given */
	OPTION_NUMBER,	 /* uint32_t within min..max */
	OPTION_CHOICE,	 /* uint32_t: index into choices, "a|b|c" */
	OPTION_TEXT,	 /* const char *, points into argv */
	OPTION_SERVED,	 /* the same: "[ADDR:]PORT[,...]" */
	OPTION_CIDR,	 /* struct prefix */
	OPTION_DURATION, /* uint64_t nanoseconds: "90", "90s", "10m", "2h", "1d"; within min..max seconds */
	OPTION_STATE,	 /* uint32_t: enum state by name */
	OPTION_LISTEN,	 /* struct listen_at */
	OPTION_COMM,	 /* const char *: a process's name, points into argv */
	OPTION_CGROUP,	 /* struct cgroup_path */
	OPTION_NETNS,	 /* uint32_t: inode number of a network namespace */
};

/* Where the HTTP endpoint listens. */
struct listen_at {
	bool off;
	struct addr addr;
	uint16_t port; /* host order */
};

struct option_row {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	uint32_t min, max;
	const char *value; /* how usage names the value: "N", "CIDR"; for OPTION_CHOICE the choices themselves */
	size_t offset;	   /* into the command's struct of options */
	const char *help;
};

struct option_table {
	const char *command;   /* "run" */
	const char *arguments; /* as usage shows them: "IFACE..."; "" for none */
	const char *summary;
	const struct option_row *rows;
	size_t count;
	int min_arguments, max_arguments;
};

/*
 * Parses argv[1..] into `options`, which holds the defaults before. Options and arguments may be mixed; "--" ends the
 * options; "--name=value" and "--name value" are the same. Returns the number of arguments, which are moved to
 * argv[1..n] in their order, or -EXIT_USAGE after one line on stderr that quotes what was rejected and says what is
 * valid. "-h" and "--help" print the usage to stdout and exit with 0.
 */
int options_parse(const struct option_table *table, int argc, char **argv, void *options);
void options_usage(const struct option_table *table);
/* The same line on stderr, for what only the command can find wrong. Returns -EXIT_USAGE. */
int options_refuse(const struct option_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The row of this name; NULL: there is none. */
const struct option_row *options_find(const struct option_table *table, const char *name);
/* Sets one option as a file does: a flag is "yes" or "no". A text is pointed to, not copied. 0; -1 with `*why` as
 * below, and nothing set. */
int options_set(const struct option_row *row, const char *text, void *options, const char **why);

/*
 * Parsers of one value. They return 0, or -1 with `*why` set to what is valid ("an IPv4 or IPv6 address, optionally
 * with /LENGTH"). parse_cidr() refuses bits set behind the prefix length and says which prefix was probably meant.
 */
int parse_cidr(const char *text, struct prefix *prefix, const char **why);
int parse_duration(const char *text, uint64_t *ns, const char **why);
int parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *number, const char **why);
int parse_state(const char *text, uint32_t *state, const char **why);
int parse_listen(const char *text, struct listen_at *at, const char **why);
int parse_comm(const char *text, const char **comm, const char **why);
int parse_cgroup(const char *text, struct cgroup_path *path, const char **why);
int parse_netns(const char *text, uint32_t *inode, const char **why);
/* "443", "192.0.2.1:443", "[2001:db8::1]:443" */
int parse_served(const char *text, struct served *served, const char **why);
/* Several of them, with commas; each is handed on where `each` is not NULL. The same, and -1 also where `each` says so.
 */
int parse_served_list(const char *text, int (*each)(void *context, const struct served *served), void *context,
		      const char **why);

#endif
