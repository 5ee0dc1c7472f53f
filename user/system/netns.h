/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces of this machine. The kernel's socket tables can be read in one at a time.
 */
#ifndef SYNWARDEN_SYSTEM_NETNS_H
#define SYNWARDEN_SYSTEM_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Enters each network namespace that a process is in or that has a name in /run/netns (`only`: its inode number; 0:
 * all), the current one first, and calls `function` there until it returns other than 0; then returns to the current
 * one. 0, or -1 where `function` returned other than 0, or after a message. A namespace that cannot be entered is
 * skipped, after a warning.
 */
int netns__each(uint32_t only, int (*function)(void *context), void *context);

#define NETNS_NAME_LEN 192

/*
 * The name of the current network namespace in /run/netns; "" for the initial one, or in a container the one that its
 * first process is in. False: it is neither, or the name is longer.
 */
bool netns__name(char name[NETNS_NAME_LEN]);

#endif
