/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Revokes what connections have shown to be served, once its cause is gone: no listener on the port for an hour, or
 * valid cookies of which the kernel makes no connections, as the port is translated to another host. Says once where a
 * table is full.
 */
#ifndef SYNWARDEN_RUN_SERVED_H
#define SYNWARDEN_RUN_SERVED_H

#include "kernel/maps.h"
#include "kernel/snapshot.h"

struct served_watch;

/* NULL: no memory, after a message. */
struct served_watch *served__open(const struct maps *maps);
/* Once a second. -1 after a message. */
int served__judge(struct served_watch *watch, const struct snapshot *s);
void served__close(struct served_watch *watch);

#endif
