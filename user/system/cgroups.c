// SPDX-License-Identifier: GPL-2.0-only
/*
 * An id is the inode number of a directory in the cgroup v2 file system, and its file handle: with
 * CAP_DAC_READ_SEARCH, the kernel opens it without a walk. Ids are not reused, so results are cached, also for ids
 * that are gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "system/cgroups.h"

#define ROOT_ID	      1	   /* of the hierarchy's own root: kernfs counts from there */
#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h */
#define KEPT	      8192 /* cgroups; a later one replaces one with the same remainder */
#define WALK_SECONDS  2

static struct {
	uint64_t id;
	char *path;
} kept[KEPT];

/* Where the hierarchy is mounted; fd -1: nowhere. */
struct mounted {
	bool looked;
	int fd;
	char dir[PATH_MAX];
};

static const struct mounted *find_mount(void)
{
	static struct mounted mounted = {.fd = -1};
	struct mntent *entry;
	FILE *mounts;

	if (mounted.looked)
		return &mounted;
	mounted.looked = true;
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return &mounted;
	while (mounted.fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2"))
			continue;
		snprintf(mounted.dir, sizeof(mounted.dir), "%s", entry->mnt_dir);
		mounted.fd = open(mounted.dir, O_DIRECTORY | O_CLOEXEC);
	}
	endmntent(mounts);
	return &mounted;
}

bool cgroups__within(const char *path, const char *above)
{
	size_t len = strlen(above);

	if (len == 1)
		return true;
	return !strncmp(path, above, len) && (!path[len] || path[len] == '/');
}

/* A path of the file system as a path of the hierarchy; NULL where it is outside. */
static const char *below(const struct mounted *mounted, const char *path)
{
	if (!cgroups__within(path, mounted->dir))
		return NULL;
	path += strlen(mounted->dir);
	return *path ? path : "/";
}

static int open_id(int mount_fd, uint64_t id)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(id)];
	} h = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};

	memcpy(h.bytes + sizeof(h.handle), &id, sizeof(id));
	return open_by_handle_at(mount_fd, &h.handle, O_DIRECTORY | O_CLOEXEC);
}

static void keep(uint64_t id, char *path)
{
	free(kept[id % KEPT].path);
	kept[id % KEPT].id = id;
	kept[id % KEPT].path = path;
}

/* Caches every directory below `dir`, which is closed; `path` is its own and has `len` characters. */
static void walk(int dir, char path[PATH_MAX], size_t len)
{
	DIR *entries = fdopendir(dir);
	struct dirent *entry;
	int n;

	if (!entries) {
		close(dir);
		return;
	}
	while ((entry = readdir(entries))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		n = snprintf(path + len, PATH_MAX - len, "/%s", entry->d_name);
		if ((size_t)n >= PATH_MAX - len)
			continue;
		keep(entry->d_ino, strdup(path));
		dir = openat(dirfd(entries), entry->d_name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir >= 0)
			walk(dir, path, len + n);
	}
	closedir(entries);
}

/* For processes without CAP_DAC_READ_SEARCH, which allows to open by handle and to read every file: walks the whole
 * tree, at most once a second. false: not now. */
static bool walk_all(int mount_fd)
{
	static struct timespec last;
	struct timespec now;
	char path[PATH_MAX] = "";
	struct stat st;
	int root;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (last.tv_sec && now.tv_sec - last.tv_sec < WALK_SECONDS)
		return false;
	last = now;
	root = openat(mount_fd, ".", O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return false;
	if (fstat(root, &st) == 0)
		keep(st.st_ino, strdup("/"));
	walk(root, path, 0);
	return true;
}

/* The path of the descriptor from open_id(). */
static char *path_of(const struct mounted *mounted, int fd)
{
	char link[64], target[PATH_MAX];
	const char *path;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, target, sizeof(target) - 1);
	close(fd);
	if (len < 0)
		return NULL;
	target[len] = '\0';
	path = below(mounted, target);
	return path ? strdup(path) : NULL;
}

/* An id that is not found is of a cgroup that is gone, and cached as such. */
static void look_up(uint64_t id)
{
	const struct mounted *mounted = find_mount();
	int fd = mounted->fd < 0 ? -1 : open_id(mounted->fd, id);

	if (fd >= 0)
		keep(id, path_of(mounted, fd));
	else if (mounted->fd < 0 || errno != EPERM || (walk_all(mounted->fd) && kept[id % KEPT].id != id))
		keep(id, NULL);
}

const char *cgroups__path(uint64_t id)
{
	if (!id)
		return NULL;
	if (kept[id % KEPT].id != id)
		look_up(id);
	return kept[id % KEPT].id == id ? kept[id % KEPT].path : NULL;
}

int cgroups__find(const char *text, struct cgroup_path *path)
{
	const struct mounted *mounted = find_mount();
	char full[PATH_MAX], real[PATH_MAX];
	const char *found;
	struct stat st;
	int len;

	if (mounted->fd < 0 || !*text)
		return -1;
	len = snprintf(full, sizeof(full), "%s/%s", below(mounted, text) ? "" : mounted->dir, text);
	if ((size_t)len >= sizeof(full) || !realpath(full, real) || stat(real, &st) || !S_ISDIR(st.st_mode))
		return -1;
	found = below(mounted, real);
	if (!found || strlen(found) >= sizeof(path->text))
		return -1;
	strcpy(path->text, found);
	return 0;
}

int cgroups__open_root(bool *whole)
{
	const struct mounted *mounted = find_mount();
	struct stat st;
	int fd;

	if (mounted->fd < 0)
		return -1;
	fd = openat(mounted->fd, ".", O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	*whole = !fstat(fd, &st) && st.st_ino == ROOT_ID;
	return fd;
}
