/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened, as sentences: never only a number.
 */
#ifndef SYNWARDEN_FETCH_SAY_H
#define SYNWARDEN_FETCH_SAY_H

#include "fetch/page.h"

#define SAY_LEN 448

/* How an attempt to connect ended: "refused: ...", "no answer to 4 SYNs in 4.00 s". */
const char *say__attempt(char words[SAY_LEN], const struct attempt *attempt);

/* What a service of nsswitch.conf said; `last`: it is the one that counts. */
const char *say__service(char words[SAY_LEN], const struct lookup *lookup, unsigned service);

/* Why no service knows the name. */
const char *say__not_found(char words[SAY_LEN], const struct page *page);

/* What ended a transfer. */
enum interruption {
	INTERRUPTED_BY_RESET,
	INTERRUPTED_BY_CLOSE,
	INTERRUPTED_BY_SILENCE, /* no byte for options->stall_ns */
};

/* `unacked`: sent segments that the server has not acknowledged. */
const char *say__interrupted(char words[SAY_LEN], const struct page *page, enum step step, enum interruption why,
			     unsigned unacked);

/* How the connection was closed, with the states that this end passed; `~` where they are inferred. */
const char *say__closed(char words[SAY_LEN], const struct page *page);

/* What dropped segments of the attempt on this host, as `seen`, and how to undo it; "" where nothing is known to have.
 */
const char *say__dropped(char words[SAY_LEN], const struct attempt *attempt, const struct attempt_seen *seen);

#endif
