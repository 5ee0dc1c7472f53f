// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any change makes all be read anew: there are few addresses, and changes are rare.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel/locals.h"
#include "run/addresses.h"
#include "system/clock.h"
#include "system/local_net.h"
#include "text/log.h"

#define EVERY_NS  (10 * NS_PER_S)
#define SETTLE_NS (NS_PER_S / 5) /* between two updates: containers come and go by the dozen */

static int update(struct run *run)
{
	unsigned ifindexes[META_INTERFACES];

	for (size_t i = 0; i < run->meta.interfaces; i++)
		ifindexes[i] = run->meta.interface[i].ifindex;
	run->addresses.told_ns = clock__now();
	run->addresses.changed = false;
	return locals__update(programs__maps(run->programs), ifindexes, run->meta.interfaces);
}

int addresses__open(struct run *run)
{
	run->addresses.watch = local_net__watch();
	if (run->addresses.watch >= 0)
		return update(run);
	log_error("cannot follow this host's addresses: %s", strerror(-run->addresses.watch));
	return -1;
}

void addresses__follow(struct run *run)
{
	uint64_t age = clock__now() - run->addresses.told_ns;

	run->addresses.changed |= local_net__changed(run->addresses.watch);
	if (age >= SETTLE_NS && (run->addresses.changed || age >= EVERY_NS))
		update(run);
}

void addresses__close(struct run *run)
{
	if (run->addresses.watch >= 0)
		close(run->addresses.watch);
	run->addresses.watch = -1;
}
