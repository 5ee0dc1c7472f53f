/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listening TCP sockets of this network namespace, and the processes that hold them.
 */
#ifndef SYNWARDEN_SYSTEM_BACKLOGS_H
#define SYNWARDEN_SYSTEM_BACKLOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

/* A listening socket. */
struct backlog {
	struct addr addr;
	uint16_t port;
	bool loopback;	 /* out of reach for the interfaces */
	uint32_t queued; /* waiting for accept() now */
	uint32_t limit;	 /* that listen() got */
	uint32_t inode;
	uint32_t uid; /* of the user who made it */
	uint32_t pid; /* of a process that holds it; 0: unknown */
	char comm[COMM_LEN];
};

struct backlogs {
	struct backlog *all; /* by port, then by address */
	size_t count;
};

/* Replaces what is there, which the caller has freed. 0, or -1, and no message, where the kernel does not tell all. */
int backlogs__find(struct backlogs *backlogs);
/* Sets pid and comm. Reads the descriptors of all processes: some 10 ms with hundreds of them. */
void backlogs__name_holders(struct backlogs *backlogs);
void backlogs__free(struct backlogs *backlogs);

#endif
