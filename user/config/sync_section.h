/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sections [sync], [crowdsec] and [list NAME] of the configuration file, as config_file.c reads them. Errors are
 * those of `lines`.
 */
#ifndef SYNWARDEN_CONFIG_SYNC_SECTION_H
#define SYNWARDEN_CONFIG_SYNC_SECTION_H

#include <stdbool.h>

#include "config/lines.h"
#include "config/sync_options.h"

/* The section that is being read. */
struct sync_section {
	const struct option_table *table; /* NULL: keys are skipped, after an error in its header */
	void *options;
	char **texts;
	unsigned *seen;
	char name[SYNC_NAME_LEN + sizeof("[list ]")]; /* as messages call it */
};

/* `name` is what stands between the brackets. False: it is the name of no such section. */
bool sync_section__begin(struct sync_section *section, struct sync_settings *sync, const struct lines *lines,
			 const char *name);
/* `key` has been checked to be printable as `quoted`. */
void sync_section__take(struct sync_section *section, const struct lines *lines, const char *key, const char *quoted,
			const char *value);
/* What only the whole of a section shows: a source without a place, or without a key. */
void sync_section__check(const struct sync_settings *sync, const struct lines *lines);

#endif
