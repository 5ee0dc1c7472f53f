/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interfaces of a `run`: found by name, filtered, and filtered again when one that went away is back. Functions
 * return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_RUN_INTERFACES_H
#define SYNWARDEN_RUN_INTERFACES_H

#include "run/run.h"

/* Finds the interfaces of the settings by name; each may be named once. */
int interfaces__find(struct run *run);
/* Attaches the filter to them, taking over the links of a former run. */
int interfaces__attach(struct run *run);
/* Gives up those that are gone, and attaches to those that are back; to be called once a second. */
int interfaces__follow(struct run *run);

#endif
