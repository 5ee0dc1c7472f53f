/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits proposed from the traffic of a dry run: SYN/s per source and per listening port, second by second.
 */
#ifndef SYNWARDEN_RUN_PROPOSE_H
#define SYNWARDEN_RUN_PROPOSE_H

#include <stdio.h>

#include "kernel/snapshot.h"

struct proposal;

/* -1 without memory. */
int propose__open(struct proposal **proposal);
/* Once a second, with the last snapshot and a fresh one: the rates of ports. */
void propose__ports(struct proposal *proposal, const struct snapshot *before, const struct snapshot *now);
/* Milliseconds until the rates of sources are to be read: just before a window of the sketches ends. */
int propose__due_ms(const struct proposal *proposal);
/* Reads them if it is time. -1 after a message. */
int propose__sources(struct proposal *proposal, const struct maps *maps);
/* Percentiles and the options to set. */
void propose__print(FILE *out, const struct proposal *proposal);
void propose__close(struct proposal *proposal);

#endif
