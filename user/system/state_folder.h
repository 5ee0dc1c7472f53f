/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folder of files that outlive `run`: systemd's StateDirectory=, or /var/lib/synwarden. `run` alone writes them,
 * each whole or not at all. The initial network namespace has its files there, and each that has a name in /run/netns;
 * others come and go with their processes, and keep nothing.
 */
#ifndef SYNWARDEN_SYSTEM_STATE_FOLDER_H
#define SYNWARDEN_SYSTEM_STATE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "system/netns.h"

#define STATE_BOOT_LEN 40
#define STATE_NAME_LEN (NETNS_NAME_LEN + 32)
#define STATE_PATH_LEN 512

struct state_folder {
	int fd;			   /* -1: not open, nothing is kept */
	char path[256];		   /* "" in a namespace that keeps nothing */
	char stem[STATE_NAME_LEN]; /* of the names of this namespace's files: "host", "netns-NAME" */
};

/* Finds path and stem for this process's network namespace, and opens nothing. False: it keeps nothing. */
bool state_folder__find(struct state_folder *folder);
/* The same for a service of its own, whose folder is `path` where systemd names none. */
bool state_folder__find_in(struct state_folder *folder, const char *path);
/* The same, and makes and opens the folder; where that fails, after a warning, nothing is kept. */
void state_folder__open(struct state_folder *folder);
/* The file's path, "FOLDER/STEM.KIND". */
char *state_folder__path(char buf[STATE_PATH_LEN], const struct state_folder *folder, const char *kind);
/*
 * Writes STEM.KIND beside the former one, which it then replaces; only root may read it. `write` returns -1 where it
 * failed. -1 with errno.
 */
int state_folder__replace(const struct state_folder *folder, const char *kind,
			  int (*write)(FILE *out, const void *context), const void *context);
/* Gives STEM.KIND the name STEM.KIND.damaged, for a person to look at. -1 with errno. */
int state_folder__set_aside(const struct state_folder *folder, const char *kind);
/* Of the files STEM.PREFIX<number>SUFFIX, removes those changed first, until `most` are left. -1 with errno. */
int state_folder__prune(const struct state_folder *folder, const char *prefix, const char *suffix, unsigned most);
void state_folder__close(struct state_folder *folder);

/* The kernel's name of this boot; "unknown" where it does not tell. */
void state_folder__boot(char boot[STATE_BOOT_LEN]);
/* Whether the name is that of this boot: a time of CLOCK_MONOTONIC is then comparable. */
bool state_folder__is_this_boot(const char *boot);
/*
 * How long ago something was, in ns, by the name of its boot, and that moment by CLOCK_MONOTONIC and CLOCK_REALTIME: of
 * another boot, the wall clock alone counts. 0 where the clock stands before it.
 */
uint64_t state_folder__age(const char *boot, uint64_t monotonic_ns, uint64_t realtime_ns);

#endif
