// SPDX-License-Identifier: GPL-2.0-only
/*
 * On loopback all clients have one address: the user is what tells them apart.
 */
#include <string.h>

#include "server/origin.h"
#include "system/peer_uid.h"
#include "text/address.h"

struct origin origin__of(int fd, const struct sockaddr *from)
{
	struct addr addr = address__from_sockaddr(from);

	return (struct origin){.addr = address__source(&addr), .uid = peer_uid__of(fd)};
}

bool origin__same(const struct origin *a, const struct origin *b)
{
	return a->uid == b->uid && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}
