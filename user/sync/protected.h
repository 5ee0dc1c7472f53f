/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses that no shared list blocks: this host's own, its gateways, the servers of the sources, and, unless [sync]
 * says otherwise, all that is no address of the public Internet.
 */
#ifndef SYNWARDEN_SYNC_PROTECTED_H
#define SYNWARDEN_SYNC_PROTECTED_H

#include <stdbool.h>
#include <stddef.h>

#include "config/prefixes.h"

struct protected
{
	struct prefixes all;
	struct prefixes own, gateways; /* as they were read last */
	bool is_known;		       /* this host's own addresses have been read */
	int watch;		       /* of links and addresses; -1: none */
	bool failed;		       /* the last reading; said once */
};

void protected__open(struct protected *protected);
/* Whether links or addresses may have changed since the last call. */
bool protected__changed(struct protected *protected);
/*
 * Reads this host's addresses and gateways; `local`: private addresses too; `servers` are added. Where the kernel does
 * not tell, after a warning, those known before stay. As long as it never did, nothing may be blocked.
 */
void protected__read(struct protected *protected, bool local, const struct prefixes *servers);
/* Whether the prefix has a protected address in it, or is within a protected prefix. */
bool protected__overlap(const struct protected *protected, const struct prefix *prefix);
void protected__close(struct protected *protected);

#endif
