/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a `run` tells the other commands of itself, in a pinned map.
 */
#ifndef SYNWARDEN_RUN_META_H
#define SYNWARDEN_RUN_META_H

#include "run/run.h"

/* Writes the options in force and the state. 0, or -1 after a message. */
int meta__write(struct run *run);

#endif
