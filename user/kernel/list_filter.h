/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What list_set.c, list_walk.c and list_pass.c share: the copies of a set's filter, and batches of its maps.
 */
#ifndef SYNWARDEN_KERNEL_LIST_FILTER_H
#define SYNWARDEN_KERNEL_LIST_FILTER_H

#include "kernel/list_set.h"

/* Lets a copy say that the prefix may be on the list. Bits are only ever set: other processes may set some meanwhile.
 */
void list_filter__add(const struct list_set *set, unsigned copy, enum list list, const struct prefix *prefix);
/* Empties a copy, which must not be the one in force. */
void list_filter__clear(const struct list_set *set, unsigned copy);

#define LIST_BATCH 512

/* Entries of one map. */
struct list_batch {
	struct prefix keys[LIST_BATCH];
	struct list_entry entries[LIST_BATCH];
	__u32 count;
	bool last; /* there are no more */
};

/* Reads those behind the place, which it moves on. -1 with errno; EAGAIN: another process removed what the walk was to
 * go on from, entries may be missing or twice, and the map must be walked from its beginning. */
int list_batch__read(struct list_batch *batch, const struct list_set *set, enum list list, enum list_kind kind,
		     struct list_place *place);
/* Whether entry number `i` says its key's length, as all do that list_set__put() made. */
bool list_batch__is_whole(const struct list_batch *batch, __u32 i);

#endif
