// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders of listeners, from the kernel's file tables. They are read again when a connection comes up whose owner is
 * unknown, but not more than a few times a second.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/owners.h"
#include "system/clock.h"
#include "text/address.h"

#define REFRESH_NS 250000000ULL

struct owners {
	struct programs *programs;
	struct holder *holders;
	size_t count;
	uint64_t read_ns;
};

static int refresh(struct owners *owners)
{
	free(owners->holders);
	owners->read_ns = clock__now();
	return programs__owners(owners->programs, &owners->holders, &owners->count);
}

int owners__open(struct owners **owners, struct programs *programs)
{
	struct owners *o = calloc(1, sizeof(*o));

	*owners = o;
	if (!o)
		return -1;
	o->programs = programs;
	return refresh(o);
}

/* How closely a listener's address fits a connection's: the same, its family's wildcard, :: for both; 0: not at all. */
static int fit(const struct addr *listens, const struct addr *local)
{
	if (!memcmp(listens, local, sizeof(*local)))
		return 3;
	if (print_is_v4(listens))
		return !listens->words[3] && print_is_v4(local) ? 2 : 0;
	if (listens->halves[0] || listens->halves[1])
		return 0;
	return print_is_v4(local) ? 1 : 2;
}

/*
 * The holder of the listener that fits best. Another holder is preferred to pid 1, which keeps the sockets that it
 * passes to services. Where two processes have a listener each, the owner is unknown.
 */
static const struct holder *find(const struct owners *owners, const struct flow *flow)
{
	const struct holder *found = NULL;
	int best = 0, fits;
	bool unclear = false;
	size_t i;

	for (i = 0; i < owners->count; i++) {
		const struct holder *holder = &owners->holders[i];

		if (holder->flow.netns != flow->netns || holder->flow.lport != flow->lport)
			continue;
		fits = fit(&holder->flow.laddr, &flow->laddr);
		if (!fits || fits < best)
			continue;
		unclear = fits == best && (unclear || (found->owner.pid != 1 && holder->owner.pid != 1 &&
						       found->owner.pid != holder->owner.pid));
		if (fits > best || found->owner.pid == 1)
			found = holder;
		best = fits;
	}
	return unclear ? NULL : found;
}

static void resolve_port(struct owners *owners, struct event *event)
{
	size_t i;

	refresh(owners);
	for (i = 0; i < owners->count; i++)
		if (owners->holders[i].cookie == event->cookie)
			event->flow.lport = owners->holders[i].flow.lport;
}

void owners__recall(const struct owners *owners, struct event *event)
{
	const struct holder *holder = event->owner.pid ? NULL : find(owners, &event->flow);

	if (holder)
		event->owner = holder->owner;
}

void owners__resolve_accepted(struct owners *owners, struct event *event)
{
	if (!event->owner.pid && clock__now() - owners->read_ns > REFRESH_NS)
		refresh(owners);
	owners__recall(owners, event);
}

void owners__resolve(struct owners *owners, struct event *event)
{
	if (event->new == STATE_LISTEN && !event->flow.lport)
		resolve_port(owners, event);
	if (event->old == STATE_LISTEN || event->old == STATE_SYN_RECV)
		owners__resolve_accepted(owners, event);
}

void owners__close(struct owners *owners)
{
	if (!owners)
		return;
	free(owners->holders);
	free(owners);
}
