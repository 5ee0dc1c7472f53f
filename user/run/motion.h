/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether any TCP socket of this network namespace may have changed: by the transitions that the tracker has counted,
 * and by the kernel's own counters of segments, which also move for what has no socket yet.
 */
#ifndef SYNWARDEN_RUN_MOTION_H
#define SYNWARDEN_RUN_MOTION_H

#include <stdbool.h>
#include <stdint.h>

#include "run/reconcile.h"

#define MOTION_LEN 512

struct motion {
	uint64_t transitions;
	char tcp[MOTION_LEN]; /* as /proc/net/snmp has them; "": unknown */
};

void motion__read(struct motion *motion, const struct reconcile_flows *flows);
/* Whether nothing moved between the two; false where that is unknown. */
bool motion__is_same(const struct motion *a, const struct motion *b);

#endif
