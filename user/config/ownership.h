/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether others than root, or the user of this process, may change a file: what it says is done with root's rights.
 */
#ifndef SYNWARDEN_CONFIG_OWNERSHIP_H
#define SYNWARDEN_CONFIG_OWNERSHIP_H

#include <stdbool.h>

#define OWNERSHIP_LEN 320

/*
 * Checks the open file `fd` and the folders above `path`. False: `text` says which users may change which of them,
 * and the command that fixes it.
 */
bool ownership__is_safe(char text[OWNERSHIP_LEN], int fd, const char *path);
/* Whether this process is a service that runs as root, which refuses an unsafe file; a command only warns of it. */
bool ownership__is_strict(void);

#endif
