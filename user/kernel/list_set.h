/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One set of lists (include/lists.h): this host's own, or the fleet's; its maps, and the filter in front of them, which
 * is shared memory. Any process that may write the maps changes entries at any time. An entry is put into its map first
 * and then into both copies of the filter, and a copy that is built anew is cleared before the maps are walked: one of
 * the two always sees the other's work. Changes are counted before and after.
 */
#ifndef SYNWARDEN_KERNEL_LIST_SET_H
#define SYNWARDEN_KERNEL_LIST_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/maps.h"
#include "types.h"

struct list_set {
	int maps[LIST_MAX][LIST_KINDS]; /* descriptors, which are not the set's own; -1: not open */
	struct list_control *control;	/* shared; NULL: not mapped */
	uint64_t *filter;		/* shared: all copies */
	size_t filter_size;		/* bytes */
	uint32_t words;			/* of one copy, without those by /16 */
};

/* The descriptors alone, for walks. */
struct list_set list_set__of(const struct maps *maps, enum list_set_kind kind);
/* Maps the sizes too, to be read. -1 after a message. */
int list_set__view(struct list_set *set, const struct maps *maps, enum list_set_kind kind);
/* Maps all of the shared memory, to be written, for which the maps must be open for writing. -1 after a message. */
int list_set__open(struct list_set *set, const struct maps *maps, enum list_set_kind kind);
void list_set__close(struct list_set *set);

/* Of a new set, or one that goes on: what the filter in force is loaded with. `entries`: of each list. */
void list_set__begin(const struct list_set *set, uint64_t seed, uint32_t entries);
/* Tells processes that map it that no filter asks the set of this map `..._control` any more; one of another layout is
 * left alone. */
void list_set__retire(int control);
/* The kernel's memory for a set with these entries, about, bytes. */
uint64_t list_set__bytes(const struct list_control *control);
/* Entries of a list now, with those that expired and are not swept yet. */
size_t list_set__count(const struct list_set *set, enum list list);
/* The same of a copy of the set's control. */
static inline uint64_t list_set__entries(const struct list_control *control, enum list list)
{
	return (uint64_t)control->counts[list][LIST_HOSTS] + control->counts[list][LIST_RANGES];
}

/* Whether the list has room for one more entry, of this prefix. */
bool list_set__has_room(const struct list_set *set, enum list list, const struct prefix *prefix);

/* The entry with exactly this prefix; false, and all zero, where there is none. */
bool list_set__find(const struct list_set *set, enum list list, const struct prefix *prefix, struct list_entry *entry);
/* Writes an entry; `is_new`: list_set__find() found none. Looks at no capacity. -1 with errno. */
int list_set__put(const struct list_set *set, enum list list, const struct prefix *prefix,
		  const struct list_entry *entry, bool is_new);
/* Lets the filter know of an entry that is there: what put it may have been killed before. */
void list_set__mark(const struct list_set *set, enum list list, const struct prefix *prefix);
/* -1 with errno; ENOENT: there is none. */
int list_set__take(const struct list_set *set, enum list list, const struct prefix *prefix);
/* From when on list_set__expire() removes the entry; 0: never. */
uint64_t list_set__end(const struct prefix *prefix, const struct list_entry *entry);
/* Removes the entry if its time is over; whether it did. */
bool list_set__expire(const struct list_set *set, enum list list, const struct prefix *prefix, uint64_t now);
/* The changes that list_set__put(), _take() or _expire() make of control->changes: before and after. */
#define LIST_CHANGE 2

typedef void (*lists_found)(void *context, const struct prefix *prefix, const struct list_entry *entry);
/* Walks all entries of the maps that are open, each once; of those that others add or remove meanwhile, some. -1 after
 * a message. */
int list_set__walk(const struct list_set *set, enum list list, lists_found found, void *context);

/* How far a map is walked; all zero: it is not begun. */
struct list_place {
	struct prefix key; /* the kernel's */
	bool started;
	bool checks; /* an entry has this key */
};

/*
 * Removes what expired, and builds the filter anew from what is left: a part of the work at a time, so that it can be
 * called once a second. A pass begins where something changed or expired since the last one, at most every ten seconds,
 * and with many entries less often. A range stays for a minute after its end, as it cannot be removed without the risk
 * that another process renews it at that moment.
 */
struct list_pass {
	unsigned stage; /* which map: 1 + kind * LIST_MAX + list; 0: no pass is under way */
	struct list_place place;
	bool holds;
	struct prefix held;  /* expired, and the walk's place: it is removed when the walk has gone on */
	unsigned restarts;   /* of walks that lost their place */
	uint64_t changes;    /* when the pass began, with its own since */
	uint64_t next_ns;    /* the earliest time for the next pass */
	uint64_t expires_ns; /* the earliest time to remove an entry; 0: none ends */
	uint32_t counts[LIST_MAX][LIST_KINDS];
};

/* `now`: of clock__now(). -1 after a message: the pass begins again next time. */
int list_set__tend(const struct list_set *set, struct list_pass *pass, uint64_t now);

#endif
