/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where records come from, each such text once: the source, the origin and the scenario of a decision. A record holds
 * the number of its note. Number 0 says nothing; it is also taken where the table is full.
 */
#ifndef SYNWARDEN_SYNC_NOTES_H
#define SYNWARDEN_SYNC_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/fleet_lists.h"

#define NOTES_MAX FLEET_ORIGINS

struct note {
	struct fleet_origin text;
	uint32_t rank; /* the lower, the sooner it is kept where not all find room */
	uint32_t row;  /* of the kernel's table; 0: not asked for yet, or it is full */
};

struct notes {
	struct note all[NOTES_MAX];
	uint32_t count;			/* with number 0 */
	uint16_t hashed[2 * NOTES_MAX]; /* number of a note, by the hash of its text; 0: free */
};

void notes__clear(struct notes *notes);
/* The number of the note that says this, which is made where there is none. */
uint32_t notes__number(struct notes *notes, const char *source, const char *origin, const char *scenario,
		       uint32_t rank);

#endif
