/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `top` shows beside the snapshots: who listens, what has happened, and of the port whose page is open, its
 * sockets and its served addresses. What is costly is read seldom.
 */
#ifndef SYNWARDEN_TOP_FACTS_H
#define SYNWARDEN_TOP_FACTS_H

#include "kernel/snapshot.h"
#include "output/event_log.h"
#include "system/backlogs.h"

#define FACTS_ADDRESSES 32

struct facts {
	struct backlogs backlogs;
	struct event_log *events;   /* NULL: unknown */
	uint64_t states[STATE_MAX]; /* of the sockets of the open port; see connected__states() */
	bool states_known;
	struct addr served[FACTS_ADDRESSES]; /* of the open port; all zero: every address */
	size_t served_count;		     /* the first ones, where there are more */

	uint64_t ports_seen;		 /* a sum over the listening ports at `backlogs_ns` */
	uint64_t backlogs_ns, events_ns; /* when they were read, by CLOCK_MONOTONIC; 0: never */
	uint64_t states_ns;		 /* the same of the states */
	uint64_t states_cost_ns;	 /* how long that took */
	uint16_t states_port;		 /* whose they are; 0: no port's */
};

/* `port`: of the page that is open; 0: none. */
void facts__read(struct facts *facts, const struct snapshot *now, const struct maps *maps, uint16_t port);
/* Of those that listen on the port and have a known holder, the first; NULL: none. */
const struct backlog *facts__holder(const struct facts *facts, uint16_t port);
void facts__free(struct facts *facts);

#endif
