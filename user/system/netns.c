// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds namespaces through /proc and /run/netns. One that is held only by an open descriptor, or by a single thread
 * of a process, is not found.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/netns.h"
#include "text/log.h"

#define SELF "/proc/self/ns/net"

struct visit {
	uint32_t only;
	int (*function)(void *context);
	void *context;
	ino_t *seen;
	size_t count;
	bool refused;
};

/* Whether the namespace was seen before; else it is noted. Without memory it counts as seen. */
static bool is_seen(struct visit *visit, ino_t inode)
{
	ino_t *grown;
	size_t i;

	for (i = 0; i < visit->count; i++)
		if (visit->seen[i] == inode)
			return true;
	grown = reallocarray(visit->seen, visit->count + 1, sizeof(*grown));
	if (!grown)
		return true;
	visit->seen = grown;
	visit->seen[visit->count++] = inode;
	return false;
}

static int enter(struct visit *visit, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return 0; /* it is gone by now */
	if (setns(fd, CLONE_NEWNET) == 0) {
		ret = visit->function(visit->context);
	} else if (!visit->refused) {
		visit->refused = true;
		log_warn("cannot enter network namespace %s: %s; its sockets are left out", path, strerror(errno));
	}
	close(fd);
	return ret;
}

static int visit_path(struct visit *visit, const char *path)
{
	struct stat st;

	if (stat(path, &st) || (visit->only && st.st_ino != visit->only) || is_seen(visit, st.st_ino))
		return 0;
	return enter(visit, path);
}

/* DIRECTORY/ENTRYSUFFIX for each entry; of `numbers` only. */
static int visit_directory(struct visit *visit, const char *directory, const char *suffix, bool numbers)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char path[512];
	int ret = 0;

	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (numbers ? !isdigit(*entry->d_name) : *entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", directory, entry->d_name, suffix);
		ret = visit_path(visit, path);
	}
	closedir(dir);
	return ret;
}

int netns__each(uint32_t only, int (*function)(void *context), void *context)
{
	struct visit visit = {.only = only, .function = function, .context = context};
	int home = open(SELF, O_RDONLY | O_CLOEXEC), ret = -1;
	struct stat st;

	if (home < 0 || fstat(home, &st)) {
		log_error("cannot open %s: %s; mount /proc", SELF, strerror(errno));
		goto cleanup;
	}
	/* Without setns(): it needs more rights than the reading does. */
	is_seen(&visit, st.st_ino);
	if ((!only || st.st_ino == only) && function(context))
		goto cleanup;
	if (visit_directory(&visit, "/proc", "/ns/net", true) || visit_directory(&visit, "/run/netns", "", false))
		goto cleanup;
	if (only && st.st_ino != only && visit.count == 1) {
		log_error("no network namespace has the inode number %u; lsns -t net lists them", only);
		goto cleanup;
	}
	ret = 0;
cleanup:
	free(visit.seen);
	if (home >= 0) {
		setns(home, CLONE_NEWNET);
		close(home);
	}
	return ret;
}

/* A service of root's may not look at the first process, but is in its namespace unless its unit says otherwise. */
static bool is_initial(const struct stat *own)
{
	struct stat st;

	if (stat("/proc/1/ns/net", &st) == 0)
		return st.st_ino == own->st_ino && st.st_dev == own->st_dev;
	return getenv("INVOCATION_ID") != NULL;
}

/* Of several names, the first in the alphabet. */
bool netns__name(char name[NETNS_NAME_LEN])
{
	DIR *dir = opendir("/run/netns");
	const struct dirent *entry;
	struct stat own, st;
	bool found = false;

	*name = '\0';
	if (stat(SELF, &own) == 0) {
		while (dir && (entry = readdir(dir))) {
			if (*entry->d_name == '.' || strlen(entry->d_name) >= NETNS_NAME_LEN ||
			    fstatat(dirfd(dir), entry->d_name, &st, 0) || st.st_ino != own.st_ino ||
			    st.st_dev != own.st_dev || (found && strcmp(entry->d_name, name) > 0))
				continue;
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
			found = true;
		}
		found = found || is_initial(&own);
	}
	if (dir)
		closedir(dir);
	return found;
}
