/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps what the filter knows of this host's own addresses: at once when links or addresses change, and now and then in
 * any case, for local routes (AnyIP), whose changes are not reported.
 */
#ifndef SYNWARDEN_RUN_ADDRESSES_H
#define SYNWARDEN_RUN_ADDRESSES_H

#include "run/run.h"

/* Opens what tells of changes, and tells the filter for the first time. -1 after a message. */
int addresses__open(struct run *run);
/* Tells the filter again where they have changed; to be called once a second, and when run->addresses.watch is
 * readable. Where that fails, after a message, the filter goes on with what it knew. */
void addresses__follow(struct run *run);
void addresses__close(struct run *run);

#endif
