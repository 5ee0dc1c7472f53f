/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What list_set.c and list_pass.c share: the copies of a set's filter, and batches of its maps.
 */
#ifndef SYNWARDEN_KERNEL_LIST_FILTER_H
#define SYNWARDEN_KERNEL_LIST_FILTER_H

#include "config/prefixes.h"
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

/* Reads those behind *token, which it moves on; `first`: from the beginning. -1 with errno. */
int list_batch__read(struct list_batch *batch, const struct list_set *set, enum list list, enum list_kind kind,
		     struct prefix *token, bool first);

#endif
