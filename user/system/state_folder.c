// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in the folder are given relative to its descriptor, which Landlock lets `run` go on using.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/state_folder.h"
#include "text/log.h"

#define STATE_DIR "/var/lib/synwarden"
#define UNKNOWN	  "unknown"

/* systemd names the folder that it has made; where it names several, the first is ours. */
static void find_path(char path[], size_t size, const char *otherwise)
{
	const char *given = getenv("STATE_DIRECTORY");

	if (given && *given == '/')
		snprintf(path, size, "%.*s", (int)strcspn(given, ":"), given);
	else
		snprintf(path, size, "%s", otherwise);
}

bool state_folder__find(struct state_folder *folder)
{
	return state_folder__find_in(folder, STATE_DIR);
}

bool state_folder__find_in(struct state_folder *folder, const char *path)
{
	char name[NETNS_NAME_LEN];

	*folder = (struct state_folder){.fd = -1};
	if (!netns__name(name))
		return false;
	find_path(folder->path, sizeof(folder->path), path);
	snprintf(folder->stem, sizeof(folder->stem), "%s%s", *name ? "netns-" : "host", name);
	return true;
}

void state_folder__open(struct state_folder *folder)
{
	if (!state_folder__find(folder)) {
		log_notice("entries made by commands end with this run, and so do events: they are kept in the initial "
			   "network namespace and in those that ip netns names");
		return;
	}
	if (mkdir(folder->path, 0700) == 0 || errno == EEXIST)
		folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		log_warn("entries made by commands end with this run, and so do events: cannot use %s: %s",
			 folder->path, strerror(errno));
}

char *state_folder__path(char buf[STATE_PATH_LEN], const struct state_folder *folder, const char *kind)
{
	snprintf(buf, STATE_PATH_LEN, "%s/%s.%s", folder->path, folder->stem, kind);
	return buf;
}

static char *name_file(char name[STATE_NAME_LEN], const struct state_folder *folder, const char *kind,
		       const char *suffix)
{
	snprintf(name, STATE_NAME_LEN, "%.*s.%s%s", NETNS_NAME_LEN + 8, folder->stem, kind, suffix);
	return name;
}

/* What was begun on a full disk would take what is left of it. */
static int give_up(const struct state_folder *folder, const char *new)
{
	int err = errno;

	unlinkat(folder->fd, new, 0);
	errno = err;
	return -1;
}

int state_folder__replace(const struct state_folder *folder, const char *kind,
			  int (*write)(FILE *out, const void *context), const void *context)
{
	char name[STATE_NAME_LEN], new[STATE_NAME_LEN];
	FILE *out = NULL;
	int fd, err;

	name_file(new, folder, kind, ".new");
	fd = openat(folder->fd, new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !(out = fdopen(fd, "w"))) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	err = write(out, context) || fflush(out) || ferror(out) || fsync(fd);
	if (fclose(out) || err || renameat(folder->fd, new, folder->fd, name_file(name, folder, kind, "")))
		return give_up(folder, new);
	return fsync(folder->fd);
}

int state_folder__set_aside(const struct state_folder *folder, const char *kind)
{
	char name[STATE_NAME_LEN], aside[STATE_NAME_LEN];

	return renameat(folder->fd, name_file(name, folder, kind, ""), folder->fd,
			name_file(aside, folder, kind, ".damaged"));
}

/* PREFIX, digits, SUFFIX: the stem of another namespace may begin with the prefix. */
static bool is_numbered(const char *name, const char *prefix, const char *suffix)
{
	const char *digits = name + strlen(prefix);

	return !strncmp(name, prefix, strlen(prefix)) && !strcmp(digits + strspn(digits, "0123456789"), suffix) &&
	       strlen(name) < STATE_NAME_LEN;
}

/* How many such files there are; `oldest` is the one that was changed first. */
static unsigned count_files(DIR *files, const char *prefix, const char *suffix, char oldest[STATE_NAME_LEN])
{
	struct timespec first = {};
	struct dirent *file;
	unsigned count = 0;

	rewinddir(files);
	while ((file = readdir(files))) {
		struct stat st;

		if (!is_numbered(file->d_name, prefix, suffix) ||
		    fstatat(dirfd(files), file->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (!count++ || st.st_mtim.tv_sec < first.tv_sec ||
		    (st.st_mtim.tv_sec == first.tv_sec && st.st_mtim.tv_nsec < first.tv_nsec)) {
			first = st.st_mtim;
			strcpy(oldest, file->d_name);
		}
	}
	return count;
}

int state_folder__prune(const struct state_folder *folder, const char *prefix, const char *suffix, unsigned most)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	char start[STATE_NAME_LEN], oldest[STATE_NAME_LEN];
	DIR *files = fd < 0 ? NULL : fdopendir(fd);

	if (!files) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	name_file(start, folder, prefix, "");
	while (!ret && count_files(files, start, suffix, oldest) > most)
		ret = unlinkat(folder->fd, oldest, 0);
	closedir(files);
	return ret;
}

void state_folder__close(struct state_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
}

void state_folder__boot(char boot[STATE_BOOT_LEN])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	strcpy(boot, UNKNOWN);
	if (file && fscanf(file, "%39s", boot) != 1)
		strcpy(boot, UNKNOWN);
	if (file)
		fclose(file);
}

bool state_folder__is_this_boot(const char *boot)
{
	char now[STATE_BOOT_LEN];

	state_folder__boot(now);
	return !strcmp(boot, now) && strcmp(boot, UNKNOWN) != 0;
}

uint64_t state_folder__age(const char *boot, uint64_t monotonic_ns, uint64_t realtime_ns)
{
	bool is_this = state_folder__is_this_boot(boot);
	uint64_t then = is_this ? monotonic_ns : realtime_ns, now = is_this ? clock__now() : clock__ns(CLOCK_REALTIME);

	return now > then ? now - then : 0;
}
