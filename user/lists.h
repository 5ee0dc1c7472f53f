/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow and block lists of a running filter, changed live. Functions return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_LISTS_H
#define SYNWARDEN_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps.h"
#include "types.h"

const char *lists__name(enum list list); /* "allow", "block" */
/* lifetime_ns 0: until removed. Adding again replaces the lifetime, but not of an entry of the configuration file. */
int lists__add(const struct maps *maps, enum list list, const struct prefix *prefix, uint64_t lifetime_ns);
int lists__remove(const struct maps *maps, enum list list, const struct prefix *prefix);
/*
 * Makes the entries that came from the configuration file those of `prefixes`, which have no end: a missing one is
 * added, one that no longer is there removed, unless a command added it too. -1 after a message: nothing is changed.
 */
int lists__sync(const struct maps *maps, enum list list, const struct prefix *prefixes, size_t count);

/* The same in steps. All zero: nothing is to be done, or to be taken back. */
struct list_plan {
	const struct maps *maps;
	enum list list;
	struct list_change *changes;
	size_t count, room;
};

/* What there is to be done; nothing is changed. -1 after a message where the list has no room for it. */
int lists__plan(struct list_plan *plan, const struct maps *maps, enum list list, const struct prefix *prefixes,
		size_t count);
/* Does it. -1 after a message: all is taken back. */
int lists__apply(struct list_plan *plan);
/* Takes back what was done: the entries are as they were found, those of commands too. */
void lists__revert(struct list_plan *plan);
void lists__forget(struct list_plan *plan);

/* Calls back for each live entry; left_ns is the rest of its lifetime, 0 where it has none. */
int lists__each(const struct maps *maps, enum list list,
		void (*found)(void *context, const struct prefix *prefix, uint64_t left_ns), void *context);
/* Whether a live entry holds the address: the one that decides, and the rest of its lifetime (0: it has none). */
bool lists__match(const struct maps *maps, enum list list, const struct addr *addr, struct prefix *match,
		  uint64_t *left_ns);
/* Removes the entries whose time is over. */
int lists__sweep(const struct maps *maps, enum list list);

#endif
