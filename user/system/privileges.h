/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities and system calls: which ones BPF needs, and how `run` gives up the rest.
 */
#ifndef SYNWARDEN_SYSTEM_PRIVILEGES_H
#define SYNWARDEN_SYSTEM_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "system/confine.h"

#define PRIVILEGES_LEN 128

/* Whether this thread has CAP_SYS_ADMIN, which includes CAP_BPF and CAP_PERFMON. */
bool privileges__is_admin(void);

/* Those of CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON that this process lacks: "CAP_BPF, CAP_PERFMON"; "" for none. */
const char *privileges__missing(char text[PRIVILEGES_LEN]);

/*
 * Gives up, for good, in this thread and those that it starts, every capability but these three, gains by execve()
 * (prctl(2), PR_SET_NO_NEW_PRIVS), what is not in `allowed` where the kernel has Landlock (*confined), and system calls
 * that `run` does not make (seccomp(2)): they fail with EPERM. Call it before threads are started. -1 after a message.
 */
int privileges__drop(const struct confinement *allowed, bool *confined);

/* Gives up every capability for good, in a process that has loaded and attached all that it needs. -1 after a message.
 */
int privileges__drop_all(void);

/* The privileges of process `pid`: "cap_bpf,cap_net_admin,cap_perfmon; no new privileges; system calls filtered";
 * "unknown" where /proc does not say. */
const char *privileges__of(char text[PRIVILEGES_LEN], pid_t pid);

#endif
