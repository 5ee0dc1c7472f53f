/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process may do: which capabilities BPF asks for, and how a `run` at work gives up all that it does not need.
 */
#ifndef SYNWARDEN_PRIVILEGES_H
#define SYNWARDEN_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#define PRIVILEGES_LEN 128

/* Whether this thread may use CAP_SYS_ADMIN, in which CAP_BPF and CAP_PERFMON are contained. */
bool privileges__is_admin(void);

/* Those of CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON that this process lacks: "CAP_BPF, CAP_PERFMON"; "" for none. */
const char *privileges__missing(char text[PRIVILEGES_LEN]);

/*
 * For good, for this thread and those that it starts: keeps no capability but these three, gains none by execve()
 * (prctl(2), PR_SET_NO_NEW_PRIVS), and may call only what `run` calls (seccomp(2)); all else fails with EPERM. Call it
 * before threads are started. -1 after a message.
 */
int privileges__drop(void);

/* What process `pid` has left: "cap_bpf,cap_net_admin,cap_perfmon; no new privileges; system calls filtered". "unknown"
 * where /proc does not tell. */
const char *privileges__of(char text[PRIVILEGES_LEN], pid_t pid);

#endif
