/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An answer of LAPI's /v1/decisions/stream, read as it comes: {"new": [...] or null, "deleted": [...] or null}, in
 * either order, and in versions from 1.7 on with more members. What it says counts for as much as was read where it
 * breaks off; only a whole one says what is no longer there.
 */
#ifndef SYNWARDEN_SYNC_ANSWER_H
#define SYNWARDEN_SYNC_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/decision.h"
#include "sync/said.h"

struct answer; /* that is being read */

struct answer_result {
	struct said fresh; /* "new" that is taken, sorted by id */
	uint64_t *gone;	   /* ids of "deleted", sorted; none of a full answer, which has all that ever ended */
	size_t gone_count;
	uint64_t rejected[FLEET_REJECTED_MAX];
	bool lacks_gone;   /* there were more of them than are kept */
	const char *wrong; /* what keeps it from being believed as a whole; NULL: nothing */
};

/* Its decisions end counting from `asked_ns`; at most `most` of them are taken. NULL without memory. */
struct answer *answer__begin(const struct decision_rules *rules, uint64_t asked_ns, size_t most, bool is_full);
/* -1: it is wrong, and no more of it is wanted. */
int answer__take(struct answer *answer, const void *bytes, size_t len);
/* Frees the answer; `is_whole`: the connection says that it ended where it should. For answer__free_result(). */
struct answer_result answer__end(struct answer *answer, bool is_whole);
void answer__free_result(struct answer_result *result);

#endif
