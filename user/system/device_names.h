/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of interfaces, by number, in any network namespace. They are kept: a name that changes later stays as it was.
 */
#ifndef SYNWARDEN_SYSTEM_DEVICE_NAMES_H
#define SYNWARDEN_SYSTEM_DEVICE_NAMES_H

#include <stdint.h>

#define DEVICE_NAMES_LEN 16 /* IF_NAMESIZE */

/*
 * `netns`: the namespace's inode number; `pid`: a process in it, 0 where none is known. NULL where the name is not to
 * be found. Not for two threads at once.
 */
const char *device_names__of(uint32_t netns, uint32_t ifindex, uint32_t pid);

#endif
