/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A new configuration for a running `run`.
 */
#ifndef SYNWARDEN_RUN_RELOAD_H
#define SYNWARDEN_RUN_RELOAD_H

#include "run/run.h"

/* Reads the configuration again and applies it as a whole. -1 after a message: it is not valid, or could not be
 * applied, and nothing has changed. */
int reload__do(struct run *run);

#endif
