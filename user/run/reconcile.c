// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets in a state = those at the start of counting + entered - left. Each census narrows the number at the start;
 * a census that leaves no value for it, and is confirmed by the next one, shows transitions that were missed.
 */
#include <string.h>

#include "run/reconcile.h"

static const uint8_t compared[] = {
	STATE_ESTABLISHED, STATE_SYN_SENT, STATE_SYN_RECV, STATE_FIN_WAIT1,
	STATE_CLOSE_WAIT,  STATE_LAST_ACK, STATE_LISTEN,   STATE_CLOSING,
};

void reconcile__flows(struct reconcile_flows *flows, const uint64_t transitions[STATE_MAX][STATE_MAX])
{
	unsigned from, to;

	memset(flows, 0, sizeof(*flows));
	for (from = 0; from < STATE_MAX; from++) {
		for (to = 0; to < STATE_MAX; to++) {
			flows->net[to] += transitions[from][to];
			flows->moved[to] += transitions[from][to];
			if (from == STATE_LISTEN && to == STATE_SYN_RECV) /* a child is made; its listener stays */
				continue;
			flows->net[from] -= transitions[from][to];
			flows->moved[from] += transitions[from][to];
		}
	}
}

bool reconcile__doubts(const struct reconcile *r)
{
	for (unsigned state = 0; state < STATE_MAX; state++)
		if (r->doubted[state])
			return true;
	return false;
}

/* Intersects *range with `other`; false where nothing is left. */
static bool narrow(struct reconcile_range *range, const struct reconcile_range *by)
{
	if (range->least > by->most || range->most < by->least)
		return false;
	if (range->least < by->least)
		range->least = by->least;
	if (range->most > by->most)
		range->most = by->most;
	return true;
}

static uint64_t gap(const struct reconcile_range *a, const struct reconcile_range *b)
{
	return a->least > b->most ? a->least - b->most : b->least - a->most;
}

static uint64_t judge(struct reconcile *r, unsigned state, const struct reconcile_range *found)
{
	bool doubted = r->doubted[state];
	uint64_t differ;

	r->doubted[state] = false;
	if (!r->begun)
		r->offset[state] = *found;
	if (narrow(&r->offset[state], found))
		return 0;
	if (!doubted || !narrow(&r->doubt[state], found)) {
		r->doubt[state] = *found;
		r->doubted[state] = true;
		return 0;
	}
	differ = gap(&r->offset[state], &r->doubt[state]);
	r->offset[state] = r->doubt[state];
	return differ;
}

uint64_t reconcile__compare(struct reconcile *r, const uint64_t census[STATE_MAX], const struct reconcile_flows *before,
			    const struct reconcile_flows *after)
{
	uint64_t differ = 0;
	size_t i;

	for (i = 0; i < sizeof(compared); i++) {
		unsigned state = compared[i];
		int64_t moved = after->moved[state] - before->moved[state];
		int64_t offset = (int64_t)census[state] - after->net[state];
		struct reconcile_range found = {offset - moved, offset + moved};

		differ += judge(r, state, &found);
	}
	r->begun = true;
	return differ;
}
