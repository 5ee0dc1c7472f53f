/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists in a file of /var/lib/synwarden, so that entries made by commands survive a restart, an upgrade and a
 * reboot, with the time that they have left.
 */
#ifndef SYNWARDEN_RUN_KEPT_LISTS_H
#define SYNWARDEN_RUN_KEPT_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "kernel/list_set.h"
#include "system/state_folder.h"

struct kept_lists {
	const struct state_folder *folder;
	char path[STATE_PATH_LEN]; /* of the file, for messages */
	uint64_t saved;		   /* changes of the lists, up to which the file has them */
	bool failed;		   /* the last attempt to save */
};

/* `folder` stays, and may be one that is not open: nothing is kept then. */
void kept_lists__open(struct kept_lists *kept, const struct state_folder *folder);
/*
 * Puts back what the file has: entries of commands, and of list files where the settings do not know what those last
 * held. What cannot be read is left out after an error.
 * -1 after a message: not all of it has room, and the file must stay as it is.
 */
int kept_lists__restore(struct kept_lists *kept, const struct list_set *set, const struct settings *settings);
/* Writes the file where the lists have changed since. On failure, after an error, the next call tries again. */
void kept_lists__save(struct kept_lists *kept, const struct list_set *set);

#endif
