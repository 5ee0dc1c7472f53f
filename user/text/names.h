/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of numbers, from the tables in include/; "?" for a number that is not in its table.
 */
#ifndef SYNWARDEN_TEXT_NAMES_H
#define SYNWARDEN_TEXT_NAMES_H

#include "types.h"

const char *print_state(unsigned state);
const char *print_ending(unsigned ending);   /* NULL for ENDING_NONE */
const char *print_owner_kind(unsigned kind); /* "unknown", "connect", ... */
const char *print_reason(unsigned reason);   /* metric label */
enum verdict print_reason_verdict(unsigned reason);
const char *print_verdict(enum verdict verdict); /* "pass", "drop", "challenge" */
const char *print_loss(unsigned loss);		 /* stage label */

#endif
