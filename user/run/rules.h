/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet filter's rules of this namespace, as far as they hand SYNs or answers to others: read again when they have
 * changed, or may have.
 */
#ifndef SYNWARDEN_RUN_RULES_H
#define SYNWARDEN_RUN_RULES_H

#include "system/redirects.h"
#include "types.h"

struct rules {
	struct redirects redirects;
	bool tc;	  /* a filter of TC may stand on a filtered interface */
	uint64_t version; /* of the rules */
	uint64_t read_ns; /* CLOCK_MONOTONIC; 0: read them in any case */
};

/* Looks whether they have changed; `meta` names the filtered interfaces. Returns why any port may be translated; "":
 * only those that rules name. */
const char *rules__look(struct rules *rules, const struct meta *meta);

#endif
