// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins -> descriptors of maps.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/list_set.h"
#include "kernel/pins.h"
#include "text/log.h"

/* -1 after a message unless the maps are those of a run, now or before, whose layout is this one. */
static int check(const struct pins *pins)
{
	struct meta meta;

	if (pins__meta(pins, &meta)) {
		if (pins__is_locked(pins))
			log_error("synwarden is starting or stopping in this network namespace; try again");
		else
			log_error("%s was left by a run that is gone; remove it: synwarden detach", pins->dir);
		return -1;
	}
	if (meta.layout != LAYOUT_VERSION) {
		log_error("the filter in place was started by synwarden %.15s, whose maps this version (" VERSION
			  ") cannot read; stop it, or remove it: synwarden detach",
			  meta.version);
		return -1;
	}
	return 0;
}

int pins__maps(const struct pins *pins, struct maps *maps)
{
	memset(maps, -1, sizeof(*maps));
	if (check(pins))
		return -1;
#define X(name)                                                                                                        \
	maps->name = pins__get(pins, #name);                                                                           \
	if (maps->name < 0) {                                                                                          \
		log_error("cannot open %s/%s: %s; synwarden detach removes the rest", pins->dir, #name,                \
			  strerror(errno));                                                                            \
		goto fail;                                                                                             \
	}
	MAPS(X)
#undef X
#define X(name) maps->name = pins__get(pins, #name);
	FLEET_MAPS(X)
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
	FLEET_MAPS(X)
#undef X
}

int pins__attach(struct pins *pins, struct maps *maps)
{
	bool missing;

	memset(maps, -1, sizeof(*maps));
	if (pins__open(pins, false, &missing) == 0)
		return pins__maps(pins, maps);
	if (missing)
		log_error("no synwarden is running in this network namespace; start one: synwarden run IFACE");
	return -1;
}

int pins__explain(const struct pins *pins)
{
	int fd = pins__get(pins, PIN_EXPLAIN);

	if (fd < 0)
		log_error("cannot open %s/" PIN_EXPLAIN ": %s; restart synwarden run", pins->dir, strerror(errno));
	return fd;
}

int pins__sysctls(const struct pins *pins)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd = pins__get(pins, "sysctls");

	if (fd < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.key_size == sizeof(__u32) &&
	    info.value_size == sizeof(struct saved_sysctl))
		return fd;
	log_warn("the sysctls that another version saved cannot be read; see: sysctl net.ipv4.tcp_syncookies");
	close(fd);
	return -1;
}

void pins__lists(const struct pins *pins, struct maps *maps)
{
	maps->allowed = pins__get(pins, "allowed");
	maps->blocked = pins__get(pins, "blocked");
	maps->allowed_hosts = pins__get(pins, "allowed_hosts");
	maps->blocked_hosts = pins__get(pins, "blocked_hosts");
	maps->fleet_control = pins__get(pins, "fleet_control");
}

#define FLEET_TRIES 100

/* All but the control, whose memory is looked into: mmap(2) wants a descriptor of a map that may be written. */
static int get_to_read(const struct pins *pins, const char *name)
{
	char path[128];
	union bpf_attr attr = {.pathname = (uintptr_t)path, .file_flags = BPF_F_RDONLY};

	if (!strcmp(name, "fleet_control"))
		return pins__get(pins, name);
	snprintf(path, sizeof(path), "%s/%s", pins->path, name);
	return syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
}

/* 0: none. */
static __u32 id_of(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static void read_ids(const struct maps *maps, __u32 ids[LIST_FLEET_MAPS])
{
#define X(name) id_of(maps->name),
	const __u32 all[] = {FLEET_MAPS(X)};
#undef X

	_Static_assert(sizeof(all) == LIST_FLEET_MAPS * sizeof(*ids), "all of them");
	memcpy(ids, all, sizeof(all));
}

void pins__name_fleet(const struct maps *maps, struct list_control *control)
{
	read_ids(maps, control->ids);
}

/* A run that starts replaces the pins one after another, and may have been killed in between. */
static bool belong_together(const struct maps *maps)
{
	__u32 ids[LIST_FLEET_MAPS], key = 0;
	struct list_control control;

	read_ids(maps, ids);
	return !bpf_map_lookup_elem(maps->fleet_control, &key, &control) && !memcmp(ids, control.ids, sizeof(ids));
}

int pins__fleet(const struct pins *pins, struct maps *maps, bool write)
{
	bool none;

	memset(maps, -1, sizeof(*maps));
	if (check(pins))
		return -1;
	for (int tries = 0; tries < FLEET_TRIES; tries++) {
#define X(name) maps->name = write ? pins__get(pins, #name) : get_to_read(pins, #name);
		FLEET_MAPS(X)
#undef X
		if (belong_together(maps))
			return 0;
		none = maps->fleet_control < 0;
		pins__close_maps(maps);
		if (none)
			return 1;
		usleep(10000);
	}
	log_error("synwarden is starting or stopping in this network namespace; try again");
	return -1;
}

void pins__retire_fleet(const struct pins *pins)
{
	int fd = pins__get(pins, "fleet_control");

	if (fd < 0)
		return;
	list_set__retire(fd);
	close(fd);
}

int pins__remove_fleet(const struct pins *pins)
{
#define X(name) #name,
	static const char *const names[] = {FLEET_MAPS(X)};
#undef X

	pins__retire_fleet(pins);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlinkat(pins->fd, names[i], 0) && errno != ENOENT) {
			log_error("cannot remove %s/%s: %s", pins->dir, names[i], strerror(errno));
			return -1;
		}
	return 0;
}
