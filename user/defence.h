/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel is set to while a port is armed: accept cookies always, and with --harden shorter time-outs of
 * half-open connections, timestamps that let cookies keep window scale and SACK, and a larger tcp_max_syn_backlog, for
 * whoever turns cookies off meanwhile.
 */
#ifndef SYNWARDEN_DEFENCE_H
#define SYNWARDEN_DEFENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps.h"

struct defence {
	bool harden;
	bool raised;
	bool hardened;		/* as `harden` was when it was raised */
	bool ended;		/* all is put back, and nothing was raised since */
	uint64_t last_armed_ns; /* CLOCK_MONOTONIC */
	uint64_t retry_ns;	/* the same; until then what could not be put back is not tried again */
};

/* To be called at once when a port is armed, and once a second. What the kernel does not let us set is said, and no
 * reason to stop. -1 after a message: the filter's own maps cannot be used. */
int defence__update(struct defence *defence, const struct maps *maps);
/* The same for a dry run, which changes nothing: but what it was preceded by may have left something to be put back. */
void defence__rest(struct defence *defence, const struct maps *maps);
/* Puts everything back, and tells a filter that stays at work without us how cookies are read then. -1 after a message:
 * to be tried again. */
int defence__end(struct defence *defence, const struct maps *maps);

#endif
