/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sysctls of this network namespace that are changed while a port is armed, and restored after. Their former values
 * are saved in a pinned map first, so that `detach` and the next `run` can restore them after a crash.
 */
#ifndef SYNWARDEN_KERNEL_SYSCTLS_H
#define SYNWARDEN_KERNEL_SYSCTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pins.h"
#include "types.h"

#define SYNCOOKIES_ALWAYS 2 /* Documentation/networking/ip-sysctl.rst: tcp_syncookies */

/* Sets one that has another value. -1 after a message. */
int sysctls__set(int map, enum sysctl_id id, uint32_t value);
/* Restores one, unless it was changed by another process since. -1 after a message: it stays saved, for another try. */
int sysctls__restore(int map, enum sysctl_id id);
int sysctls__restore_all(int map);
/* Restores all that a `run` which is gone left changed, of any version. */
int sysctls__restore_left(const struct pins *pins);
/* Whether it has a value that synwarden set. */
bool sysctls__is_changed(int map, enum sysctl_id id);
/* Whether /proc/sys is read-only, as in most containers. */
bool sysctls__are_read_only(void);
/* Its value now; 0 where it cannot be read. */
uint32_t sysctls__get(enum sysctl_id id);
/* The last of the numbers in /proc/sys/net/SETTING (tcp_rmem has three); -1, with errno, where it cannot be read. */
int sysctls__read(const char *setting, uint32_t *value);

/* How the kernel makes and reads cookies under the present settings. */
void sysctls__cookie_policy(struct cookie_policy *policy);

#endif
