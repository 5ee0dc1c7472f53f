/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cgroup v2 hierarchy, as it is mounted here: from an id to a path, and from what a user types to one. Paths begin
 * at the hierarchy's root: "/system.slice/nginx.service", and "/" is the root itself.
 */
#ifndef SYNWARDEN_SYSTEM_CGROUPS_H
#define SYNWARDEN_SYSTEM_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#define CGROUPS_PATH_LEN 512

struct cgroup_path {
	char text[CGROUPS_PATH_LEN]; /* "": none */
};

/* NULL where the id is 0, or the cgroup is gone or not mounted here. Valid until the next call. */
const char *cgroups__path(uint64_t id);
/* A directory below the mount point (/sys/fs/cgroup/...), or as seen from the root. -1 where there is none. */
int cgroups__find(const char *text, struct cgroup_path *path);
/* The root of the hierarchy, open; the caller closes it. In a container, *whole is false: the root is that of the
 * container's own part. -1: it is not mounted. */
int cgroups__open_root(bool *whole);
/* Whether `path` is `above`, or below it. */
bool cgroups__within(const char *path, const char *above);

#endif
