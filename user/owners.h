/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Living owners for connections whose listener was made by a process that has ended since.
 */
#ifndef SYNWARDEN_OWNERS_H
#define SYNWARDEN_OWNERS_H

#include "guard.h"
#include "types.h"

struct owners;

/* Names the owners of the sockets that exist now, in the kernel. -1 after a message. */
int owners__open(struct owners **owners, struct guard *guard);
/*
 * Fills in event->owner where it is unknown and a living process holds the listener; else leaves it unknown. Fills in
 * the port that the kernel gave to a listener after it said so (listen() without bind()).
 */
void owners__resolve(struct owners *owners, struct event *event);
/* The same for a connection that is known to have come to a listener, whatever its states; see enum role. */
void owners__resolve_accepted(struct owners *owners, struct event *event);
/* The same, with the holder that was found when the file tables were last read. */
void owners__recall(const struct owners *owners, struct event *event);
void owners__close(struct owners *owners);

#endif
