// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pins of one network namespace: find or mount bpffs, lock, open, remove.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "log.h"
#include "pins.h"

#define BPFFS	     "/sys/fs/bpf"
#define PIN_PATH_LEN 512
#define LOCK_TRIES   20 /* a `status` may hold the lock for a moment */

uint32_t pins__netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/*
 * Where bpffs is: at its place, or, where a tool like `ip netns exec` has laid a fresh /sys over it, at init's.
 */
static const char *find_bpffs(void)
{
	static const char *const places[] = {BPFFS, "/proc/1/root" BPFFS};
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (is_bpffs(places[i]))
			return places[i];
	return NULL;
}

static const char *mount_bpffs(void)
{
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		log_error("cannot mount bpffs at " BPFFS ": %s; run as root, or mount it: mount -t bpf bpf " BPFFS,
			  strerror(errno));
		return NULL;
	}
	log_info("mounted bpffs at " BPFFS);
	return BPFFS;
}

int pins__open(struct pins *pins, bool create, bool *missing)
{
	const char *base = find_bpffs();

	pins->fd = -1;
	if (missing)
		*missing = false;
	if (!base && create && !(base = mount_bpffs()))
		return -1;
	snprintf(pins->dir, sizeof(pins->dir), "%s/synwarden", base ? base : BPFFS);
	if (create && mkdir(pins->dir, 0700) && errno != EEXIST)
		goto fail;
	snprintf(pins->dir, sizeof(pins->dir), "%s/synwarden/%u", base ? base : BPFFS, pins__netns());
	if (create && mkdir(pins->dir, 0700) && errno != EEXIST)
		goto fail;
	pins->fd = open(pins->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pins->fd >= 0)
		return 0;
	if (errno == ENOENT && missing) {
		*missing = true;
		return -1;
	}
fail:
	log_error("cannot open %s: %s%s", pins->dir, strerror(errno), errno == EACCES ? "; run as root" : "");
	return -1;
}

static int open_map(const struct pins *pins, const char *name)
{
	char path[PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", pins->dir, name);
	return bpf_obj_get(path);
}

int pins__meta(const struct pins *pins, struct meta *meta)
{
	__u32 key = 0;
	int fd = open_map(pins, "meta"), err;

	memset(meta, 0, sizeof(*meta));
	if (fd < 0)
		return -1;
	err = bpf_map_lookup_elem(fd, &key, meta);
	close(fd);
	return err ? -1 : 0;
}

int pins__lock(struct pins *pins)
{
	struct meta meta;
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(pins->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			break;
		usleep(10000);
	}
	if (errno != EWOULDBLOCK)
		log_error("cannot lock %s: %s", pins->dir, strerror(errno));
	else if (pins__meta(pins, &meta) == 0 && meta.pid)
		log_error("synwarden is at work in this network namespace already (pid %u); stop it first: kill %u",
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

int pins__maps(const struct pins *pins, struct maps *maps)
{
	struct meta meta;

	memset(maps, -1, sizeof(*maps));
	if (pins__meta(pins, &meta)) {
		log_error("cannot read the pins in %s: %s; synwarden detach removes them", pins->dir, strerror(errno));
		goto fail;
	}
	if (meta.layout != LAYOUT_VERSION) {
		log_error("the filter in place was started by synwarden %.15s, whose maps this version (" VERSION
			  ") cannot read; stop it, or remove it: synwarden detach",
			  meta.version);
		goto fail;
	}
#define X(name)                                                                                                        \
	maps->name = open_map(pins, #name);                                                                            \
	if (maps->name < 0) {                                                                                          \
		log_error("cannot open %s/%s: %s; synwarden detach removes the rest", pins->dir, #name,                \
			  strerror(errno));                                                                            \
		goto fail;                                                                                             \
	}
	MAPS(X)
#undef X
	return 0;
fail:
	pins__close_maps(maps);
	return -1;
}

void pins__close_maps(struct maps *maps)
{
#define X(name)                                                                                                        \
	if (maps->name >= 0)                                                                                           \
		close(maps->name);                                                                                     \
	maps->name = -1;
	MAPS(X)
#undef X
}

/* Calls back for each pin by name; `.` and `..` left out. */
static int each_pin(const struct pins *pins, int (*found)(const struct pins *pins, const char *name, void *context),
		    void *context)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir = opendir(pins->dir);

	if (!dir)
		return -1;
	while (!ret && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			ret = found(pins, entry->d_name, context);
	closedir(dir);
	return ret;
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
	fd = open_map(pins, name);
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

static int unpin(const struct pins *pins, const char *name, void *context)
{
	char path[PIN_PATH_LEN];

	(void)context;
	snprintf(path, sizeof(path), "%s/%s", pins->dir, name);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	log_error("cannot remove %s: %s", path, strerror(errno));
	return -1;
}

int pins__remove_xdp(const struct pins *pins, unsigned ifindex)
{
	char name[32];

	snprintf(name, sizeof(name), "xdp-%u", ifindex);
	return unpin(pins, name, NULL);
}

int pins__remove(struct pins *pins)
{
	char parent[sizeof(pins->dir)];

	if (each_pin(pins, unpin, NULL))
		return -1;
	rmdir(pins->dir);
	snprintf(parent, sizeof(parent), "%s", pins->dir);
	*strrchr(parent, '/') = '\0';
	rmdir(parent); /* stays while another namespace has pins there */
	return 0;
}

void pins__close(struct pins *pins)
{
	if (pins->fd >= 0)
		close(pins->fd);
	pins->fd = -1;
}

int pins__attach(struct pins *pins, struct maps *maps)
{
	bool missing;

	memset(maps, -1, sizeof(*maps));
	if (pins__open(pins, false, &missing) == 0)
		return pins__maps(pins, maps);
	if (missing)
		log_error("synwarden is not at work in this network namespace; start it: synwarden run IFACE");
	return -1;
}
