/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel settings of this network namespace that are changed while a port is armed, and put back after: what they were
 * stands in a pinned map first, so that `detach` and the next `run` can put them back after a crash.
 */
#ifndef SYNWARDEN_SYSCTLS_H
#define SYNWARDEN_SYSCTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "pins.h"
#include "types.h"

#define SYNCOOKIES_ALWAYS 2 /* Documentation/networking/ip-sysctl.rst: tcp_syncookies */

/* Sets one, unless it is so already. -1 after a message. */
int sysctls__set(int map, enum sysctl_id id, uint32_t value);
/* Puts one back, unless somebody else has set it since. -1 after a message: it stays noted, for another try. */
int sysctls__restore(int map, enum sysctl_id id);
int sysctls__restore_all(int map);
/* All that a `run` which is gone left, of whatever version. */
int sysctls__restore_left(const struct pins *pins);
/* Whether it stands at a value of ours. */
bool sysctls__is_changed(int map, enum sysctl_id id);
/* Its value now; 0 where it cannot be read. */
uint32_t sysctls__get(enum sysctl_id id);
/* The last of the numbers in /proc/sys/net/SETTING (tcp_rmem has three); -1, with errno, where it cannot be read. */
int sysctls__read(const char *setting, uint32_t *value);

/* What the kernel makes of a cookie under the settings as they are. */
void sysctls__cookie_policy(struct cookie_policy *policy);

#endif
