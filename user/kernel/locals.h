/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells the filter what is this host's own: MAC addresses of its interfaces, and IP addresses (include/local.h).
 */
#ifndef SYNWARDEN_KERNEL_LOCALS_H
#define SYNWARDEN_KERNEL_LOCALS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/maps.h"
#include "local.h"
#include "system/local_net.h"

/* Puts one address or prefix where the filter looks for it; false: into the trie, as its bucket is full. */
bool locals__add(struct local *local, const struct prefix *prefix);
/* `above`: devices stand above `ifindex`. false: there is no room. */
bool locals__add_mac(struct local *local, unsigned ifindex, const struct net_link *link, bool above);

/*
 * Reads all from the kernel and writes what has changed. The filter is attached to the interfaces `ifindexes` (0:
 * none). -1 after a message: what the filter knew stays.
 */
int locals__update(const struct maps *maps, const unsigned *ifindexes, size_t count);

/* The filter keeps by CPU what it has found to be served: it asks again. -1 with errno. */
int locals__forget_served(const struct maps *maps);

/* Whether the filter takes the address for one of this host's. */
bool locals__has(const struct maps *maps, const struct addr *addr);

#endif
