/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fleet's lists, which `synwarden sync` fills and the filter asks after this host's own. Their maps are pinned by a
 * `run` whose configuration has a [sync] section. One process writes them; any number reads. What has expired decides
 * nothing from that moment on; `run` sweeps it, and keeps the filter in front of the lists from wearing out.
 *
 * Prefixes are in network order, IPv4 as v4-mapped (prefixlen 96 + n), with all bits behind the length zero, as
 * parse_cidr() makes them. Times are nanoseconds of CLOCK_MONOTONIC (clock__now()).
 */
#ifndef SYNWARDEN_KERNEL_FLEET_LISTS_H
#define SYNWARDEN_KERNEL_FLEET_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/maps.h"
#include "types.h"

struct fleet_lists;

struct fleet_entry {
	struct prefix prefix;
	uint64_t until_ns; /* 0: until removed */
	uint32_t origin;   /* row of the table of origins; 0: unknown */
};

struct fleet_size {
	size_t entries;	 /* with those that have expired and are not swept yet */
	size_t capacity; /* of each list: max-entries of [sync] */
	size_t ranges;	 /* of them at most so many other than whole addresses */
};

/*
 * Opens the pins of the current network namespace; `write`: to change the lists. Takes root's rights, and needs none
 * from then on: the descriptors and the shared memory stay usable when all are given up. Opens no other maps; without
 * `write`, these for reading alone. 1, and no message: there are
 * no such lists, as no `run` is there, or its configuration has no [sync]. -1 after a message.
 */
int fleet_lists__open(struct fleet_lists **lists, bool write);
/* The same of maps that are open already, and stay so for as long: to read. */
int fleet_lists__view(struct fleet_lists **lists, const struct maps *maps);
/* The `run` that had pinned these maps ended, and no other one took them over: no filter asks them. A restart makes it
 * true for a moment. */
bool fleet_lists__are_retired(const struct fleet_lists *lists);
/* Accepts NULL. */
void fleet_lists__close(struct fleet_lists *lists);

struct fleet_size fleet_lists__size(const struct fleet_lists *lists, enum list list);

/*
 * Adds entries; one that is there gets the new end and origin. Stops where one fails: *done (may be NULL) of them are
 * in. -1 with errno; ENOSPC: the list is full; EINVAL: the prefix has bits behind its length. A few microseconds an
 * entry.
 */
int fleet_lists__put(struct fleet_lists *lists, enum list list, const struct fleet_entry *entries, size_t count,
		     size_t *done);
/* Removes the entries of exactly these prefixes; that one is not there is no error. -1 with errno. */
int fleet_lists__remove(struct fleet_lists *lists, enum list list, const struct prefix *prefixes, size_t count);
/*
 * Makes the list hold these alone. What is new is added before anything is removed: no source that is on both is
 * unlisted for a moment. What is there as it shall be is not written. Sorts `entries`, in which no prefix may be twice.
 * -1 with errno; ENOSPC: more than the list may hold; EINVAL: a prefix has bits behind its length; nothing is changed
 * in both cases.
 */
int fleet_lists__replace(struct fleet_lists *lists, enum list list, struct fleet_entry *entries, size_t count);

/* Calls back for each entry that has not expired. -1 after a message. */
int fleet_lists__each(const struct fleet_lists *lists, enum list list,
		      void (*found)(void *context, const struct fleet_entry *entry), void *context);
/* The entry of exactly this prefix, expired or not; false where there is none. */
bool fleet_lists__find(const struct fleet_lists *lists, enum list list, const struct prefix *prefix,
		       struct fleet_entry *entry);

/* Rows of the table of origins, and of the sources' states: 0 to FLEET_ORIGINS - 1, FLEET_SOURCES - 1. -1 with errno.
 */
int fleet_lists__origin(const struct fleet_lists *lists, uint32_t row, struct fleet_origin *origin);
int fleet_lists__set_origin(struct fleet_lists *lists, uint32_t row, const struct fleet_origin *origin);
int fleet_lists__source(const struct fleet_lists *lists, uint32_t row, struct fleet_source *source);
int fleet_lists__set_source(struct fleet_lists *lists, uint32_t row, const struct fleet_source *source);
/* The row that says this; a free one is taken for it. 0 where none is free. Rows are never freed: entries name them. */
uint32_t fleet_lists__row(struct fleet_lists *lists, const struct fleet_origin *origin);

#endif
