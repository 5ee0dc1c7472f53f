/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pins under /sys/fs/bpf/synwarden/NETNS-INODE/: the only channel between a `run` and the other commands. A
 * process holds the directory's lock while it changes the pins; the kernel releases it when the process dies.
 * Functions return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_KERNEL_PINS_H
#define SYNWARDEN_KERNEL_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/maps.h"
#include "types.h"

#define PIN_EXPLAIN "explain"

struct pins {
	char dir[64];  /* as shown to the operator */
	char path[32]; /* as this process reaches it */
	bool create;   /* as pins__open() was called */
	int parent_fd;
	int fd; /* the directory; holds the lock where pins__lock() succeeded. -1: not open */
};

/* Inode number of the current network namespace, and a cookie that distinguishes it from a later one with the same
 * number. */
uint32_t pins__netns(void);
uint64_t pins__netns_cookie(void);

/* Opens the directory of the current namespace; makes it, and mounts bpffs, where `create`. Without `create`, -1 and no
 * message if there is none: *missing is then true. */
int pins__open(struct pins *pins, bool create, bool *missing);
/* -1 and a message with the holder's pid where a `run` is alive. */
int pins__lock(struct pins *pins);
/* Whether a `run` holds the lock. */
bool pins__is_locked(const struct pins *pins);
/* The last state that a `run` wrote; -1, and no message, where none has pinned anything. */
int pins__meta(const struct pins *pins, struct meta *meta);
/* The same of an open map `meta`, of any layout version: as much of it as there is. -1 with errno. */
int pins__read_meta(int fd, struct meta *meta);
/* Opens one pin. -1 with errno. */
int pins__get(const struct pins *pins, const char *name);
/* Opens the pinned maps. Refuses another layout version. */
int pins__maps(const struct pins *pins, struct maps *maps);
/* Opens those of this host's lists, and `fleet_control`, alone, of any layout version; -1 for each that cannot be
 * opened, and no message. */
void pins__lists(const struct pins *pins, struct maps *maps);
/* Opens those of the fleet's lists alone, all of one run; `write`: to change them. Refuses another layout version. 1,
 * and no message: there are none. */
int pins__fleet(const struct pins *pins, struct maps *maps, bool write);
/* Says in their control that these belong together, for pins__fleet(). */
void pins__name_fleet(const struct maps *maps, struct list_control *control);
void pins__close_maps(struct maps *maps);
/* The pinned explain_packet of the filter in force; to be closed. */
int pins__explain(const struct pins *pins);

/* The pinned map of saved sysctls, of any version; to be closed. -1 where there is none, or, after a message, none that
 * can be read. */
int pins__sysctls(const struct pins *pins);

/* Pins a map, program or link as `name` below the directory `dir`. A pin of that name is replaced without a gap; what
 * it held lives on only while something else holds it. */
int pins__put(const char *dir, const char *name, int fd);
int pins__put_xdp(const char *dir, unsigned ifindex, int link_fd);

/* Calls back for each pin with its name and a descriptor that is closed afterwards. */
int pins__each(const struct pins *pins, int (*found)(void *context, const char *name, int fd), void *context);
/* Calls back for each pinned XDP link with its interface number and a descriptor that is closed afterwards. */
int pins__each_xdp(const struct pins *pins, int (*found)(void *context, unsigned ifindex, int link_fd), void *context);
/* Removes the pin of one interface's link, and so the filter there. */
int pins__remove_xdp(const struct pins *pins, unsigned ifindex);
/* Tells what writes the fleet's lists that no filter asks them any more. */
void pins__retire_fleet(const struct pins *pins);
/* The same, and removes their pins. */
int pins__remove_fleet(const struct pins *pins);
/* Removes all pins, and retires the fleet's lists. */
int pins__clear(const struct pins *pins);
/* The same, and removes the directory. */
int pins__remove(struct pins *pins);
void pins__close(struct pins *pins);

/* For the commands that need a `run` (or what one left): opens pins and maps, or says how to start one. */
int pins__attach(struct pins *pins, struct maps *maps);

#endif
