/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only a running `run` knows of a port: the growth of its counters in the last seconds, and how many clients
 * connect as a rule. Both are in the pinned map `recents`, from which every command reads them.
 */
#ifndef SYNWARDEN_RUN_USUAL_H
#define SYNWARDEN_RUN_USUAL_H

#include "kernel/snapshot.h"

struct usual;

/* Clears what a former run left in the map. -1 after a message. */
int usual__forget(const struct maps *maps);
/* -1 after a message. */
int usual__open(struct usual **usual, const struct maps *maps);
/* Once a second, with a fresh snapshot, whose views get what is written. */
void usual__note(struct usual *usual, struct snapshot *snapshot);
void usual__close(struct usual *usual);

#endif
