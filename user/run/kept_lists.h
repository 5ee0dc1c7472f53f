/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists in a file of /var/lib/synwarden, so that entries made by commands survive a restart, an upgrade and a
 * reboot, with the time that they have left. `run` alone writes it. There is one for the initial network namespace and
 * one for each that has a name in /run/netns; others come and go with their processes, and keep nothing.
 */
#ifndef SYNWARDEN_RUN_KEPT_LISTS_H
#define SYNWARDEN_RUN_KEPT_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "kernel/maps.h"

/* All zero but for `dir`, -1: nothing is kept. */
struct kept_lists {
	int dir;	  /* the folder of the file */
	char path[512];	  /* of the file, for messages */
	const char *name; /* in the folder; points into `path` */
	uint64_t saved;	  /* lists__mark() of what the file has */
	bool failed;	  /* the last attempt to save */
};

/* Finds the folder and the name, and makes the folder; where that fails, after a warning, nothing is kept. */
void kept_lists__open(struct kept_lists *kept);
/*
 * Puts back what the file has: entries of commands, and of list files where the settings do not know what those last
 * held. What cannot be read is left out after an error.
 */
void kept_lists__restore(struct kept_lists *kept, const struct maps *maps, const struct settings *settings);
/* Writes the file where the lists have changed since. On failure, after an error, the next call tries again. */
void kept_lists__save(struct kept_lists *kept, const struct maps *maps);
void kept_lists__close(struct kept_lists *kept);

#endif
