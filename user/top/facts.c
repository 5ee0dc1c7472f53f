// SPDX-License-Identifier: GPL-2.0-only
/*
 * The holders of listeners are looked for when the listening ports change, at most each ten seconds, and each minute,
 * as a program may have been restarted; events each five seconds, as `run` writes them; and the sockets of a port so
 * often that it takes 2 % of the time at most.
 */
#include "output/event_file.h"
#include "system/clock.h"
#include "system/connected.h"
#include "top/facts.h"

#define BACKLOGS_NS (60 * NS_PER_S)
#define CHANGED_NS  (10 * NS_PER_S)
#define EVENTS_NS   (5 * NS_PER_S)
#define STATES_PART 50

static bool is_due(uint64_t read_ns, uint64_t every_ns, uint64_t now_ns)
{
	return !read_ns || now_ns - read_ns >= every_ns;
}

static uint64_t sum_of_ports(const struct snapshot *now)
{
	uint64_t sum = 0;

	for (size_t i = 1; i < now->port_count; i++)
		if (now->ports[i].listening)
			sum = sum * 65599 + now->ports[i].port;
	return sum;
}

static void read_backlogs(struct facts *facts, const struct snapshot *now)
{
	uint64_t ports = sum_of_ports(now), clock = clock__now();

	if (!is_due(facts->backlogs_ns, ports == facts->ports_seen ? BACKLOGS_NS : CHANGED_NS, clock))
		return;
	backlogs__free(&facts->backlogs);
	backlogs__find(&facts->backlogs);
	backlogs__name_holders(&facts->backlogs);
	facts->ports_seen = ports;
	facts->backlogs_ns = clock;
}

/* A log that cannot be read is not tried again: each try would leave a message. */
static void read_events(struct facts *facts)
{
	uint64_t clock = clock__now();

	if (!is_due(facts->events_ns, EVENTS_NS, clock) || (facts->events_ns && !facts->events))
		return;
	facts->events_ns = clock;
	if (facts->events)
		event_log__clear(facts->events);
	else
		facts->events = event_log__make();
	if (facts->events && event_file__load(facts->events, "top")) {
		event_log__free(facts->events);
		facts->events = NULL;
	}
}

/* The kernel goes through all sockets for it. */
static void read_states(struct facts *facts, uint16_t port)
{
	uint64_t clock = clock__now();

	if (port && port == facts->states_port && clock - facts->states_ns < STATES_PART * facts->states_cost_ns)
		return;
	facts->states_known = port && connected__states(port, facts->states) == 0;
	facts->states_port = port;
	facts->states_ns = clock__now();
	facts->states_cost_ns = facts->states_ns - clock;
}

void facts__read(struct facts *facts, const struct snapshot *now, const struct maps *maps, uint16_t port)
{
	read_backlogs(facts, now);
	read_events(facts);
	read_states(facts, port);
	facts->served_count = port ? snapshot__served(facts->served, FACTS_ADDRESSES, maps, port) : 0;
}

const struct backlog *facts__holder(const struct facts *facts, uint16_t port)
{
	const struct backlog *all = facts->backlogs.all;
	size_t first = 0, end = facts->backlogs.count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (all[middle].port < port)
			first = middle + 1;
		else
			end = middle;
	}
	for (; first < facts->backlogs.count && all[first].port == port; first++)
		if (all[first].pid)
			return &all[first];
	return NULL;
}

void facts__free(struct facts *facts)
{
	backlogs__free(&facts->backlogs);
	event_log__free(facts->events);
	*facts = (struct facts){};
}
