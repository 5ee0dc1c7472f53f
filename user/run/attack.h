/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a port is under attack, and the evidence. Armed means only that the port is over its budget; an armed port
 * is under attack where fewer than half of its handshakes complete over five seconds.
 */
#ifndef SYNWARDEN_RUN_ATTACK_H
#define SYNWARDEN_RUN_ATTACK_H

#include "kernel/snapshot.h"
#include "run/kept_events.h"

struct attacks;

/* Attacks are kept in `kept`, which stays. -1 after a message. */
int attack__open(struct attacks **attacks, const struct maps *maps, const struct kept_events *kept);
/* Call it at once when the kernel side reports an armed port: its sources are counted from then on. */
void attack__armed(struct attacks *attacks, const struct alert *alert);
/*
 * Once a second, with a fresh snapshot: judges each port, writes the result into the pinned map and the snapshot's
 * views, and logs the begin and end of arming and of attacks.
 */
int attack__judge(struct attacks *attacks, struct snapshot *snapshot);
/* The slot is taken from its port. */
void attack__forget(struct attacks *attacks, __u32 slot);
/* What is under way is kept as interrupted. */
void attack__close(struct attacks *attacks);

#endif
