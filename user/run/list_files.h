/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists of the configuration file and its list files, in force. A list file that is not taken as it is leaves what
 * its list last had of it, is counted in the pinned state for `status` and `doctor`, and is tried again.
 */
#ifndef SYNWARDEN_RUN_LIST_FILES_H
#define SYNWARDEN_RUN_LIST_FILES_H

#include "kernel/lists.h"
#include "run/run.h"

/* What a list shall have by the settings. */
struct list_wish list_files__wish(const struct settings *settings, enum list list);
/* Makes the list so. Where there is no room for all, after a message, it stays as it is, until list_files__retry(). */
void list_files__sync(struct run *run, enum list list);
/* For once in ten seconds: tries again what failed, where files have changed since. */
void list_files__retry(struct run *run);
/* How many files, or whole lists, are not in force as the settings name them. */
unsigned list_files__waiting(const struct run *run, enum list list);
/* The first of them, and why, in words; NULL: there is none. Valid until the next call. */
const char *list_files__why_not(const struct run *run);

#endif
