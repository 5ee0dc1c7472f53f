/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lists.c and list_plan.c share: one entry of a list, in its map. Functions return 0, or -1 with errno set.
 */
#ifndef SYNWARDEN_KERNEL_LIST_PARTS_H
#define SYNWARDEN_KERNEL_LIST_PARTS_H

#include "kernel/lists.h"

int lists__trie(const struct maps *maps, enum list list); /* its descriptor */
int lists__put(const struct maps *maps, enum list list, const struct prefix *prefix, const struct list_entry *entry);
int lists__take(const struct maps *maps, enum list list, const struct prefix *prefix);
/* Says, by errno, why lists__put() failed; returns -1. */
int lists__fail_put(enum list list, const struct prefix *prefix);
/* The entry with exactly this prefix: a trie also answers with a shorter one. All zero where there is none. */
void lists__find(const struct maps *maps, enum list list, const struct prefix *prefix, struct list_entry *entry);

typedef void (*lists_found)(void *context, const struct prefix *prefix, const struct list_entry *entry);
/* Walks all entries, in batches; one that ends up in two of them is visited twice. -1 after a message. */
int lists__walk(int map, lists_found found, void *context);

#endif
