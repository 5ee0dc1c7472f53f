/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Landlock (Linux 5.13): what a process may still do with files and TCP ports, whatever user it is. Reading is not
 * bounded.
 */
#ifndef SYNWARDEN_SYSTEM_CONFINE_H
#define SYNWARDEN_SYSTEM_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* Version of the kernel's Landlock, from 1; 0: it has none, or this process may not use it. */
int confine__version(void);

struct confinement {
	int pins;      /* the folder below which it makes and removes pins; -1: none */
	int state;     /* the folder of files that outlive it; -1: none */
	uint16_t port; /* that it may listen on, host order; 0: none */
};

/*
 * For good, for this thread and those that it starts, which must have no_new_privs: it may write, make and remove files
 * only below `pins`, `state` and /proc/sys/net/ipv4, start no program, and from version 4 on listen on no
 * other TCP port and connect to none. False where the kernel refuses: nothing is bounded then.
 */
bool confine__apply(const struct confinement *allowed);

#endif
