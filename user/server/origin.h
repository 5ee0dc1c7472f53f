/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which clients count as one: those that share an address, and on this host those of one user.
 */
#ifndef SYNWARDEN_SERVER_ORIGIN_H
#define SYNWARDEN_SERVER_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "types.h"

struct origin {
	struct addr addr; /* an address, or an IPv6 /64 */
	uint32_t uid;	  /* PEER_UID_UNKNOWN for other hosts */
};

/* Of the connection `fd`, which comes from `from`. */
struct origin origin__of(int fd, const struct sockaddr *from);
bool origin__same(const struct origin *a, const struct origin *b);

#endif
