// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pins of one network namespace: make, lock, open, remove.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/bpffs.h"
#include "kernel/pins.h"
#include "text/log.h"

#define PIN_PATH_LEN 512
#define XDP_NAME_LEN 32
#define LOCK_TRIES   20 /* `status` may hold the lock for a moment */

uint32_t pins__netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}

static int open_dir(int parent, const char *name, bool create)
{
	if (create && mkdirat(parent, name, 0700) && errno != EEXIST)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int pins__open(struct pins *pins, bool create, bool *missing)
{
	char base[BPFFS_LEN], *name;
	bool found = bpffs__find(base);
	int root;

	*pins = (struct pins){.fd = -1, .parent_fd = -1, .create = create};
	if (missing)
		*missing = false;
	if (!found && create && bpffs__mount())
		return -1;
	snprintf(pins->dir, sizeof(pins->dir), BPFFS "/synwarden/%u", pins__netns());
	name = strrchr(pins->dir, '/') + 1;
	root = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		pins->parent_fd = open_dir(root, "synwarden", create);
	if (pins->parent_fd >= 0)
		pins->fd = open_dir(pins->parent_fd, name, create);
	if (pins->fd < 0 && errno == ENOENT && missing)
		*missing = true;
	else if (pins->fd < 0)
		log_error("cannot open %s: %s%s", pins->dir, strerror(errno), errno == EACCES ? "; run as root" : "");
	if (root >= 0)
		close(root);
	/* By descriptor, as the path may lead through a process that ends. */
	snprintf(pins->path, sizeof(pins->path), "/proc/self/fd/%d", pins->fd);
	return pins->fd < 0 ? -1 : 0;
}

/* Distinguishes a namespace from a later one with the same inode number. 0 before Linux 5.14. */
uint64_t pins__netns_cookie(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	return cookie;
}

int pins__get(const struct pins *pins, const char *name)
{
	char path[PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", pins->path, name);
	return bpf_obj_get(path);
}

/* The value of another version may be larger, and the kernel writes all of it. */
int pins__read_meta(int fd, struct meta *meta)
{
	struct bpf_map_info info = {};
	__u32 key = 0, len = sizeof(info);
	void *value;
	int err;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -1;
	value = malloc(info.value_size);
	if (!value)
		return -1;
	err = bpf_map_lookup_elem(fd, &key, value);
	if (!err)
		memcpy(meta, value, info.value_size < sizeof(*meta) ? info.value_size : sizeof(*meta));
	free(value);
	return err;
}

int pins__meta(const struct pins *pins, struct meta *meta)
{
	int fd = pins__get(pins, "meta"), err;

	memset(meta, 0, sizeof(*meta));
	if (fd < 0)
		return -1;
	err = pins__read_meta(fd, meta);
	close(fd);
	if (!err && meta->layout == LAYOUT_VERSION && meta->netns_cookie != pins__netns_cookie())
		err = -1; /* of a namespace that is gone */
	return err ? -1 : 0;
}

/* Whether the directory was removed by the run that held the lock: the next command makes another one. */
static bool is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

int pins__lock(struct pins *pins)
{
	struct meta meta;
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(pins->fd, LOCK_EX | LOCK_NB) == 0) {
			if (!is_removed(pins->fd))
				return 0;
			pins__close(pins);
			if (pins__open(pins, pins->create, NULL))
				return -1;
			continue;
		}
		if (errno != EWOULDBLOCK)
			break;
		usleep(10000);
	}
	if (errno != EWOULDBLOCK)
		log_error("cannot lock %s: %s", pins->dir, strerror(errno));
	else if (pins__meta(pins, &meta) == 0 && meta.pid)
		log_error("synwarden is already running in this network namespace (pid %u); stop it first: kill %u",
			  meta.pid, meta.pid);
	else
		log_error("another synwarden is starting in this network namespace; see it with: pgrep -a synwarden");
	return -1;
}

bool pins__is_locked(const struct pins *pins)
{
	if (flock(pins->fd, LOCK_SH | LOCK_NB))
		return true;
	flock(pins->fd, LOCK_UN);
	return false;
}

/* Calls back for each pin by name; `.` and `..` left out. */
static int each_pin(const struct pins *pins, int (*found)(const struct pins *pins, const char *name, void *context),
		    void *context)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir = opendir(pins->path);

	if (!dir)
		return -1;
	while (!ret && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			ret = found(pins, entry->d_name, context);
	closedir(dir);
	return ret;
}

struct each_fd {
	int (*found)(void *context, const char *name, int fd);
	void *context;
};

static int visit_fd(const struct pins *pins, const char *name, void *context)
{
	struct each_fd *each = context;
	int fd = pins__get(pins, name), ret;

	if (fd < 0)
		return 0;
	ret = each->found(each->context, name, fd);
	close(fd);
	return ret;
}

int pins__each(const struct pins *pins, int (*found)(void *context, const char *name, int fd), void *context)
{
	struct each_fd each = {found, context};

	return each_pin(pins, visit_fd, &each);
}

struct each_xdp {
	int (*found)(void *context, unsigned ifindex, int link_fd);
	void *context;
};

static int visit_xdp(const struct pins *pins, const char *name, void *context)
{
	struct each_xdp *each = context;
	unsigned ifindex;
	int fd, ret;

	if (sscanf(name, "xdp-%u", &ifindex) != 1)
		return 0;
	fd = pins__get(pins, name);
	if (fd < 0)
		return 0;
	ret = each->found(each->context, ifindex, fd);
	close(fd);
	return ret;
}

int pins__each_xdp(const struct pins *pins, int (*found)(void *context, unsigned ifindex, int link_fd), void *context)
{
	struct each_xdp each = {found, context};

	return each_pin(pins, visit_xdp, &each);
}

/* The new one is renamed over the old one: the name is never without a pin. */
int pins__put(const char *dir, const char *name, int fd)
{
	char path[PIN_PATH_LEN], new[PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(new, sizeof(new), "%s/new", dir);
	if (unlink(new) && errno != ENOENT)
		goto fail;
	if (bpf_obj_pin(fd, new) == 0 && rename(new, path) == 0)
		return 0;
fail:
	log_error("cannot pin %s: %s", path, strerror(errno));
	return -1;
}

static void name_xdp(char name[XDP_NAME_LEN], unsigned ifindex)
{
	snprintf(name, XDP_NAME_LEN, "xdp-%u", ifindex);
}

int pins__put_xdp(const char *dir, unsigned ifindex, int fd)
{
	char name[XDP_NAME_LEN];

	name_xdp(name, ifindex);
	return pins__put(dir, name, fd);
}

static int unpin(const struct pins *pins, const char *name, void *context)
{
	(void)context;
	if (unlinkat(pins->fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	log_error("cannot remove %s/%s: %s", pins->dir, name, strerror(errno));
	return -1;
}

int pins__remove_xdp(const struct pins *pins, unsigned ifindex)
{
	char name[XDP_NAME_LEN];

	name_xdp(name, ifindex);
	return unpin(pins, name, NULL);
}

int pins__clear(const struct pins *pins)
{
	pins__retire_fleet(pins);
	return each_pin(pins, unpin, NULL);
}

int pins__remove(struct pins *pins)
{
	int root = openat(pins->parent_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = pins__clear(pins);

	if (!ret)
		unlinkat(pins->parent_fd, strrchr(pins->dir, '/') + 1, AT_REMOVEDIR);
	if (!ret && root >= 0)
		unlinkat(root, "synwarden", AT_REMOVEDIR); /* stays while another namespace has pins there */
	if (root >= 0)
		close(root);
	return ret;
}

void pins__close(struct pins *pins)
{
	if (pins->fd >= 0)
		close(pins->fd);
	if (pins->parent_fd >= 0)
		close(pins->parent_fd);
	pins->fd = pins->parent_fd = -1;
}
