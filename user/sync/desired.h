/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fleet's lists are to hold: all that the sources say, each prefix once, without what is protected, and no
 * more than find room; and the steps from what the maps hold to that.
 */
#ifndef SYNWARDEN_SYNC_DESIRED_H
#define SYNWARDEN_SYNC_DESIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/fleet_lists.h"
#include "sync/notes.h"
#include "sync/protected.h"
#include "sync/said.h"

/* A prefix that is wanted. `entry.origin` is the number of a note. */
struct wanted {
	struct fleet_entry entry;
	uint32_t rank;
	uint16_t source; /* that holds it the longest */
	bool is_held;	 /* by the maps already */
};

/* Of one list. All zero: it is empty. */
struct desired {
	struct wanted *all; /* sorted by prefix, once it is joined */
	size_t count, room;
};

/* What one list has room for. */
struct desired_room {
	size_t entries;
	size_t ranges; /* of them that are not whole addresses */
};

/* The order in which they are sorted: -1, 0, 1. */
int desired__compare(const struct prefix *a, const struct prefix *b);
#define DESIRED_END 2
/* The same for entry `i` of the one and `j` of the other, where each may be behind its last one; both: DESIRED_END. */
int desired__order(const struct desired *held, size_t i, const struct desired *desired, size_t j);
/* 0, or -1 without memory. */
int desired__add(struct desired *desired, const struct wanted *wanted);
/* Leaves each prefix once, with its latest end and its lowest rank. */
void desired__join(struct desired *desired);
/*
 * Leaves what finds room: the lowest rank first, then what `held` (sorted) has already, then the latest end.
 * left_out[source] counts the others.
 */
void desired__fit(struct desired *desired, const struct desired *held, const struct desired_room *room,
		  uint64_t left_out[]);

/* The steps from `held` to `desired`, both joined. */
struct steps {
	struct fleet_entry *put;
	size_t put_count;
	struct prefix *remove;
	size_t remove_count;
};

/*
 * 0, or -1 without memory; for steps__free() in both cases. An end that moves by less than a second is not worth to be
 * written: `desired` gets the one that is there.
 */
int steps__find(struct steps *steps, const struct desired *held, struct desired *desired);
void steps__free(struct steps *steps);

void desired__free(struct desired *desired);

#endif
