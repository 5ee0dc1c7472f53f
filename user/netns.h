/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces of this machine: the kernel's socket tables are read in one at a time.
 */
#ifndef SYNWARDEN_NETNS_H
#define SYNWARDEN_NETNS_H

#include <stdint.h>

/*
 * Enters each network namespace that a process is in or that has a name in /run/netns (`only`: its inode number; 0:
 * all), the current one first, and calls `function` there until it returns other than 0. Comes back to the current one.
 * Returns 0, or -1 where `function` returned other than 0, or after a message. A namespace that cannot be entered is
 * left out, after a warning.
 */
int netns__each(uint32_t only, int (*function)(void *context), void *context);

#endif
