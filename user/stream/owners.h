/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running owners for connections whose listener was made by a process that has exited since.
 */
#ifndef SYNWARDEN_STREAM_OWNERS_H
#define SYNWARDEN_STREAM_OWNERS_H

#include "kernel/programs.h"
#include "types.h"

struct owners;

/* Finds the owners of the sockets that exist now, on the kernel side. -1 after a message. */
int owners__open(struct owners **owners, struct programs *programs);
/*
 * Sets event->owner where it is unknown and a running process holds the listener; else it stays unknown. Sets the
 * port that the kernel chose for a listener after it reported it (listen() without bind()).
 */
void owners__resolve(struct owners *owners, struct event *event);
/* The same for a connection that is known to have come to a listener, in any state; see enum role. */
void owners__resolve_accepted(struct owners *owners, struct event *event);
/* The same, without reading the file tables again. */
void owners__recall(const struct owners *owners, struct event *event);
void owners__close(struct owners *owners);

#endif
