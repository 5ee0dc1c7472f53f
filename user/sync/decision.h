/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A decision of CrowdSec, from its text to a record: which ones are taken, and why others are left out.
 */
#ifndef SYNWARDEN_SYNC_DECISION_H
#define SYNWARDEN_SYNC_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "config/sync_options.h"
#include "sync/notes.h"
#include "sync/said.h"

/* What becomes of a decision: why it is left out (enum fleet_rejected), or: */
enum {
	DECISION_TAKEN = FLEET_REJECTED_MAX,
	DECISION_FILTERED, /* [crowdsec] does not ask for its origin or scenario */
};

/* The members that are read, in a decision's JSON object. */
#define DECISION_MEMBERS(X) X(id) X(duration) X(origin) X(scenario) X(scope) X(type) X(value) X(simulated)

#define DECISION_TEXT_LEN 128

enum decision_member {
#define X(name) DECISION_##name,
	DECISION_MEMBERS(X)
#undef X
		DECISION_MEMBER_MAX,
};

/* As it is written; "" for a member that is not there, null, or too long. */
struct decision {
	char texts[DECISION_MEMBER_MAX][DECISION_TEXT_LEN];
};

struct decision_rules {
	const struct sync_options *sync;
	const struct sync_source *source;
	uint32_t rank; /* of the source's first origin */
	struct notes *notes;
};

/* Go's: "3h59m48.1s", "-45.636015ms", "1.5µs". *ns is held within 100 years. -1: it is none. */
int decision__duration(const char *text, int64_t *ns);
/* The id alone, as `deleted` needs; 0: it is none. */
uint64_t decision__id(const struct decision *decision);
/*
 * DECISION_TAKEN, and the record; its end counts from `asked_ns`, when the answer was asked for: LAPI counts from later
 * on, so that none lasts longer than granted.
 */
unsigned decision__record(const struct decision *decision, const struct decision_rules *rules, uint64_t asked_ns,
			  struct record *record);
/* The place of the origin among those that [crowdsec] asks for, from 0; -1: it does not ask for it, or for the
 * scenario. */
int decision__place(const struct sync_source_options *options, const char *origin, const char *scenario);
/* Whether [sync] refuses the prefix for its length. */
bool decision__is_short(const struct prefix *prefix, const struct sync_options *sync);

#endif
