/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow and block lists of a running filter, changed live. Functions return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_KERNEL_LISTS_H
#define SYNWARDEN_KERNEL_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/prefixes.h"
#include "kernel/list_set.h"
#include "types.h"

const char *lists__name(enum list list); /* "allow", "block" */
/* lifetime_ns 0: until removed. Adding again replaces the lifetime. 1, after a warning: the
 * entry is of the configuration file, and stays without one. */
int lists__add(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t lifetime_ns);
/* 1, after a notice unless `quiet`: it was not there, or its time was over. */
int lists__remove(const struct list_set *set, enum list list, const struct prefix *prefix, bool quiet);

/* What shall be on a list by the configuration file. */
struct list_wish {
	struct prefixes prefixes;
	bool keeps_others; /* entries of the file that are not among them stay, as it is not known which it had */
};

/*
 * Makes the entries of the configuration file those of the wish, without a lifetime: adds missing ones, and removes
 * those that the file no longer has, unless a command added them too. -1 after a message: nothing is changed.
 */
int lists__sync(const struct list_set *set, enum list list, const struct list_wish *wish);

/* The same in steps. All zero: nothing to do or to undo. */
struct list_plan {
	const struct list_set *set;
	enum list list;
	struct list_change *changes;
	size_t count, room;
};

/* Plans the changes, and makes none. -1 after a message where the list is too small for them. */
int lists__plan(struct list_plan *plan, const struct list_set *set, enum list list, const struct list_wish *wish);
/* Makes the changes. -1 after a message: all are undone. */
int lists__apply(struct list_plan *plan);
/* Undoes what was done: entries are as before, those of commands too. */
void lists__revert(struct list_plan *plan);
void lists__forget(struct list_plan *plan);

/* left_ns is the rest of the entry's lifetime, 0 where it has none; `origins` are bits of enum list_origin. */
typedef void (*lists_visit)(void *context, const struct prefix *prefix, uint64_t left_ns, unsigned origins);
/* Calls back for each entry that has not expired. */
int lists__each(const struct list_set *set, enum list list, lists_visit found, void *context);
/* Puts an entry back as it was saved; `left_ns` and `origins` as in lists_visit. 1, and no message: there is no room.
 */
int lists__restore(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t left_ns,
		   unsigned origins);
/* Says how many entries had no room; `whose`: empty, or " of ...". */
void lists__say_left_out(const struct list_set *set, enum list list, const char *whose, size_t count);
/*
 * Copies what has not expired of both lists from maps of another layout version, or another size. After a message: -1
 * where it cannot, as they have another form; 1 where not all have room.
 */
int lists__carry_over(const struct list_set *from, const struct list_set *to);

#endif
