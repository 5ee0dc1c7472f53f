/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracker's transitions compared with the kernel's tables: what they do not explain was not seen.
 */
#ifndef SYNWARDEN_RUN_RECONCILE_H
#define SYNWARDEN_RUN_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "types.h"

/* Sockets entered minus left, and both together, by state, since counting began. */
struct reconcile_flows {
	int64_t net[STATE_MAX];
	int64_t moved[STATE_MAX];
};

/* Inclusive: a state's count is inexact, as a census takes time. */
struct reconcile_range {
	int64_t least, most;
};

/* All zero at the start. */
struct reconcile {
	bool begun;
	struct reconcile_range offset[STATE_MAX]; /* sockets at the start of counting, by all censuses so far */
	struct reconcile_range doubt[STATE_MAX];  /* what the last census says where it contradicts that, */
	bool doubted[STATE_MAX];		  /* which counts only if the next one agrees */
};

/* Whether the next census may still tell a difference that the last one has only raised. */
bool reconcile__doubts(const struct reconcile *reconcile);
void reconcile__flows(struct reconcile_flows *flows, const uint64_t transitions[STATE_MAX][STATE_MAX]);

/*
 * Compares a census with the flows read just before and just after it. Returns in how many sockets they have been found
 * to differ since the last call. The states that sockets leave unseen (TIME_WAIT, NEW_SYN_RECV, FIN_WAIT2, CLOSE) are
 * not compared.
 */
uint64_t reconcile__compare(struct reconcile *reconcile, const uint64_t census[STATE_MAX],
			    const struct reconcile_flows *before, const struct reconcile_flows *after);

#endif
