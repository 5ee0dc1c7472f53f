/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file: options of `run`, ports with rules of their own, lists. It is read whole: whoever gets a
 * struct conf gets one that is valid from the first line to the last.
 */
#ifndef SYNWARDEN_CONF_H
#define SYNWARDEN_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "types.h"

#define CONF_KEYS 32

struct prefixes {
	struct prefix *all;
	size_t count;
};

struct conf {
	struct run_options options; /* the defaults, and what the file says; points into this struct */
	char interfaces[META_INTERFACES][16];
	size_t interface_count;
	struct port_options *ports;
	size_t port_count;
	char *texts[CONF_KEYS]; /* the values that `options` points to, by row of the option table */
	struct prefixes lists[LIST_MAX];
};

/* The defaults alone, as of an empty file. */
void conf__init(struct conf *conf);
/* Reads `path`. -1 after a line for each error, which names file, line, key, value and what is valid; *conf is then
 * empty. */
int conf__read(struct conf *conf, const char *path);
void conf__free(struct conf *conf);

#endif
