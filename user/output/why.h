/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What would happen to a SYN now, and which rule says so: for `synwarden why`, and for the dashboard.
 */
#ifndef SYNWARDEN_OUTPUT_WHY_H
#define SYNWARDEN_OUTPUT_WHY_H

#include <stdbool.h>
#include <stdio.h>

#include "kernel/explain.h"
#include "kernel/maps.h"
#include "kernel/snapshot.h"
#include "types.h"

/* What is asked, and the answer. */
struct why {
	struct explain_syn syn;
	bool to_one;  /* the address was asked for */
	bool to_port; /* the port was asked for */
	struct explanation answer;
	const struct meta *meta;    /* of the snapshot */
	bool listening;		    /* on that port */
	struct source_view limited; /* by --source-limit */
	struct fleet_origin origin; /* of the fleet's entry that decides */
};

/*
 * Asks the filter about why->syn, in by the interface of that name (NULL: the first that is filtered). `program` as
 * for explain__frame(). Keeps a pointer to the snapshot. 0, or -1 after a message.
 */
int why__ask(struct why *why, int program, const struct maps *maps, const struct snapshot *snapshot,
	     const char *interface);
/* `address`: as it was asked for. */
void why__print(FILE *out, const char *address, const struct why *why);
void why__json(FILE *out, const char *address, const struct why *why);

#endif
