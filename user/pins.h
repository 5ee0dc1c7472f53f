/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pins under /sys/fs/bpf/synwarden/NETNS-INODE/: the only channel between a `run` and the other commands.
 * Whoever changes the directory holds its lock, which the kernel releases when the holder dies.
 * Functions return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_PINS_H
#define SYNWARDEN_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "maps.h"
#include "types.h"

struct pins {
	char dir[64];  /* where an operator finds it */
	char path[32]; /* where this process does */
	bool create;   /* it was made where there was none */
	int parent_fd;
	int fd; /* the directory; holds the lock where pins__lock() succeeded. -1: not open */
};

/* Inode number of the current network namespace, and what tells it from a later one with the same number. */
uint32_t pins__netns(void);
uint64_t pins__netns_cookie(void);

/* Whether there is a bpffs to pin in. */
bool pins__has_bpffs(void);

/* Opens the directory of the current namespace; makes it, and mounts bpffs, where `create`. Without `create`, -1 and no
 * message if there is none: *missing is then true. */
int pins__open(struct pins *pins, bool create, bool *missing);
/* -1 and a message with the holder's pid where a `run` is alive. */
int pins__lock(struct pins *pins);
/* Whether a `run` holds the lock. */
bool pins__is_locked(const struct pins *pins);
/* What a `run` told last; -1, and no message, where none has pinned anything. */
int pins__meta(const struct pins *pins, struct meta *meta);
/* Opens the pinned maps. Refuses another layout version. */
int pins__maps(const struct pins *pins, struct maps *maps);
void pins__close_maps(struct maps *maps);

/* The pinned map of what the sysctls were, of whatever version; to be closed. -1 where there is none, or, after a
 * message, none that can be read. */
int pins__sysctls(const struct pins *pins);

/* Calls back for each pinned XDP link with its interface number and a descriptor that is closed afterwards. */
int pins__each_xdp(const struct pins *pins, int (*found)(void *context, unsigned ifindex, int link_fd), void *context);
/* Removes the pin of one interface's link, and so the filter there. */
int pins__remove_xdp(const struct pins *pins, unsigned ifindex);
/* Removes all pins. */
int pins__clear(const struct pins *pins);
/* Removes all pins and the directory. */
int pins__remove(struct pins *pins);
void pins__close(struct pins *pins);

/* For the commands that need a `run` (or what one left): opens pins and maps, or says how to start one. */
int pins__attach(struct pins *pins, struct maps *maps);

#endif
