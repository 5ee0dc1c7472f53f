/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module sync fetches shared lists and keeps the fleet's maps in step with them. It runs in synwarden-net, without
 * privileges once the maps are open. It may include server, output, kernel, config, system and text.
 *
 * What one source says: a record a decision of CrowdSec, or an entry of a list. Functions return 0, or -1 and no
 * message, without memory.
 */
#ifndef SYNWARDEN_SYNC_SAID_H
#define SYNWARDEN_SYNC_SAID_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"

#define RECORD_NO_ID (1ULL << 63) /* from here on, numbers in place of ids that are not known */

struct record {
	uint64_t id;	  /* of the decision, unique in its source; of an entry of a list, its number */
	uint64_t ends_ns; /* CLOCK_MONOTONIC; 0: with its source */
	struct prefix prefix;
	uint32_t note; /* notes.h */
};

struct said {
	struct record *all;
	size_t count, room;
};

int said__add(struct said *records, const struct record *record);
/* By id; of those that share one, the one that ends last is left. */
void said__sort(struct said *records);
/*
 * Adds `fresh` to `known`, both sorted: a record of the same id is replaced. LAPI's durations are relative, and the
 * time that the answer took is lost: an end that differs by less than 2 s is the same one, and the later of both is
 * right. *added is how many ids are new.
 */
int said__merge(struct said *known, const struct said *fresh, size_t *added);
/* Removes those with these ids, which are sorted. Returns how many there were. */
size_t said__remove(struct said *known, const uint64_t *ids, size_t count);
/* Removes what has ended at `now_ns`. */
size_t said__expire(struct said *known, uint64_t now_ns);
/* How many of `known` that have not ended are not in `full`, by id; both are sorted. */
size_t said__missing(const struct said *known, const struct said *full, uint64_t now_ns);
/* How many of `full` are not in `known` though their id is below the greatest one there: deltas lost them. */
size_t said__lost(const struct said *known, const struct said *full);
void said__free(struct said *records);

#endif
