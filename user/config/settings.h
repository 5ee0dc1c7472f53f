/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module config holds options, values and the configuration file. It may include system and text.
 *
 * What `run` shall do: the command line over the configuration file over the defaults. Each source sets only what
 * none above it has set.
 */
#ifndef SYNWARDEN_CONFIG_SETTINGS_H
#define SYNWARDEN_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "config/prefixes.h"
#include "config/run_options.h"
#include "config/sync_options.h"
#include "types.h"

#define INTERFACE_NAME_LEN 16 /* IFNAMSIZ */

#define LIST_WHY_LEN 256

/* A list file that the configuration file names. */
struct list_source {
	enum list list;
	char *path;
	bool known; /* `prefixes` are what the file held when it was last taken */
	struct prefixes prefixes;
	unsigned bad;		/* lines */
	char why[LIST_WHY_LEN]; /* why the file as it is now is not taken; "": it is */
	struct timespec tried;	/* its change time when it was read; 0: it was not there */
};

struct settings {
	struct run_options options; /* points into this struct, or into argv */
	uint32_t given;		    /* by the command line: a bit for each row of run_options__options */
	const char *file;	    /* that was read; NULL: none */
	char interfaces[META_INTERFACES][INTERFACE_NAME_LEN];
	size_t interface_count;
	bool interfaces_given;		 /* by the command line */
	char *texts[OPTIONS_MAX];	 /* values that `options` points to, by row, but for those in argv */
	struct prefixes cidrs[LIST_MAX]; /* of the file itself */
	struct list_source *sources;	 /* in the order in which the file names them */
	size_t source_count;
	struct prefixes lists[LIST_MAX]; /* of all of them together */
	bool without_lists;		 /* the files of [allow] and [block] are not read */
	struct sync_settings sync;
};

/* The defaults alone, as of an empty file and command line. */
void settings__init(struct settings *settings);
/* Frees what it holds, and leaves the defaults. */
void settings__clear(struct settings *settings);

/*
 * Reads the command line, and `file`, or where it is NULL the one that the command line names, or the default one where
 * it exists. Returns the exit code, after a message where it is not 0; *settings is NULL then.
 */
int settings__read(struct settings **settings, const char *file, int argc, char **argv);
/* Accepts NULL. */
void settings__free(struct settings *settings);

/* Hands the value of a row over from `former`, and `former` the present one. */
void settings__swap(struct settings *settings, struct settings *former, const struct option_row *row);

#endif
