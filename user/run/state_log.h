/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of the state of protection: each time it becomes critical, for another reason too, and when it no longer is.
 * What else changes (attacks, interfaces) is logged where it is noticed.
 */
#ifndef SYNWARDEN_RUN_STATE_LOG_H
#define SYNWARDEN_RUN_STATE_LOG_H

#include "output/protection.h"

struct state_log {
	enum protection_row told; /* 0: nothing critical was */
	enum protection_row next; /* what holds since `seconds` */
	unsigned seconds;
};

/* Once a second. */
void state_log__note(struct state_log *log, const struct protection *protection);

#endif
