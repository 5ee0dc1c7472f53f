// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot -> the row of PROTECTION_ROWS that holds for each port, and for the host. Nothing else is asked.
 */
#include <string.h>

#include "output/protection.h"

#define LEAST	    4  /* SYNs or answers that are missing in the last seconds: fewer may be chance */
#define LEAST_USUAL 20 /* clients that would have connected in that time */

typedef bool judge_port(const struct snapshot *s, const struct port_view *port);

static bool is_attacked(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return port->attack.under_attack;
}

static bool is_attacked_in_dry_run(const struct snapshot *s, const struct port_view *port)
{
	return s->meta.dry_run && port->attack.under_attack;
}

/* More than a tenth, as for the alert SynwardenAttackNotFiltered. */
static bool is_attacked_and_not_served(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return port->attack.under_attack && port->recent.not_served * 10 > port->recent.syns;
}

static bool is_attacked_without_cookies(const struct snapshot *s, const struct port_view *port)
{
	return port->attack.under_attack && port->challenge && s->meta.flags & META_SYSCTLS_FIXED &&
	       port->recent.challenged * 2 < port->recent.syns;
}

/* More passes than the budget and its bursts explain. */
static bool is_passed(const struct snapshot *s, const struct port_view *port)
{
	const struct port_recent *recent = &port->recent;

	(void)s;
	return port->attack.under_attack && recent->passed * 2 > recent->syns &&
	       recent->passed > 2 * port->budget * recent->seconds;
}

/* Without a client that asks, none is refused. */
static bool is_queue_full(const struct snapshot *s, const struct port_view *port)
{
	const struct port_recent *recent = &port->recent;

	(void)s;
	return port->accept_full && (recent->syns || recent->listen_drops || recent->answered);
}

/* Clients whose valid cookies the kernel did not see. The kernel drops some itself where the accept queue is full. */
static uint64_t lost_answers(const struct port_recent *recent)
{
	uint64_t seen = recent->completed + recent->listen_drops;

	return recent->answered > seen ? recent->answered - seen : 0;
}

/* At least a twentieth. */
static bool loses_answers(const struct snapshot *s, const struct port_view *port)
{
	uint64_t lost = lost_answers(&port->recent);

	(void)s;
	return lost >= LEAST && lost * 20 >= port->recent.answered;
}

/* At least a twentieth of those that would have connected. */
static bool is_dropped_by_listener(const struct snapshot *s, const struct port_view *port)
{
	const struct port_recent *recent = &port->recent;

	(void)s;
	return recent->listen_drops >= LEAST && recent->listen_drops * 20 >= recent->completed + recent->listen_drops;
}

/* 30 % or more of the whole. */
static bool is_much(uint64_t part, uint64_t whole)
{
	return part * 10 >= whole * 3;
}

static bool loses_many_answers(const struct snapshot *s, const struct port_view *port)
{
	return loses_answers(s, port) && is_much(lost_answers(&port->recent), port->recent.answered);
}

/* Those that the limit drops are clients where the SYNs that it admits are: a flood's complete no handshake. */
static bool is_limited(const struct snapshot *s, const struct port_view *port)
{
	const struct port_recent *recent = &port->recent;

	return !s->meta.dry_run && recent->limited >= LEAST && recent->completed &&
	       recent->completed * 2 >= recent->passed;
}

static bool is_limited_much(const struct snapshot *s, const struct port_view *port)
{
	return is_limited(s, port) && is_much(port->recent.limited, port->recent.syns);
}

static bool is_over_budget(const struct snapshot *s, const struct port_view *port)
{
	return !s->meta.dry_run && port->recent.over_budget >= LEAST;
}

static bool is_over_budget_much(const struct snapshot *s, const struct port_view *port)
{
	return is_over_budget(s, port) && is_much(port->recent.over_budget, port->recent.syns);
}

/* Fewer than a third of those that connect as a rule. */
static bool has_few_clients(const struct snapshot *s, const struct port_view *port)
{
	uint64_t usual = port->recent.usual_millis * port->recent.seconds / 1000;

	(void)s;
	return port->attack.under_attack && usual >= LEAST_USUAL && port->recent.completed * 3 < usual;
}

static bool is_dry_run(const struct snapshot *s, const struct port_view *port)
{
	(void)port;
	return s->meta.dry_run;
}

static bool is_not_served(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return port->budget && !port->served;
}

static bool has_no_budget(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return !port->budget;
}

static bool is_armed(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return port->armed;
}

static bool has_clients(const struct snapshot *s, const struct port_view *port)
{
	(void)s;
	return port->recent.completed;
}

/* In the order of PROTECTION_ROWS. */
static const struct {
	enum protection_row row;
	judge_port *holds;
} port_rows[] = {
	{PROTECTION_ROW_ATTACK_DRY_RUN, is_attacked_in_dry_run},
	{PROTECTION_ROW_ATTACK_NOT_SERVED, is_attacked_and_not_served},
	{PROTECTION_ROW_ATTACK_NO_COOKIE, is_attacked_without_cookies},
	{PROTECTION_ROW_ATTACK_PASSES, is_passed},
	{PROTECTION_ROW_QUEUE_FULL, is_queue_full},
	{PROTECTION_ROW_MANY_COOKIES_LOST, loses_many_answers},
	{PROTECTION_ROW_MANY_LIMITED, is_limited_much},
	{PROTECTION_ROW_MANY_OVER_BUDGET, is_over_budget_much},
	{PROTECTION_ROW_FEWER_CLIENTS, has_few_clients},
	{PROTECTION_ROW_COOKIES_LOST, loses_answers},
	{PROTECTION_ROW_LISTENER_DROPS, is_dropped_by_listener},
	{PROTECTION_ROW_LIMITED, is_limited},
	{PROTECTION_ROW_OVER_BUDGET, is_over_budget},
	{PROTECTION_ROW_HELD_OFF, is_attacked},
	{PROTECTION_ROW_DRY_RUN, is_dry_run},
	{PROTECTION_ROW_NOT_SERVED, is_not_served},
	{PROTECTION_ROW_NO_BUDGET, has_no_budget},
	{PROTECTION_ROW_BUSY, is_armed},
	{PROTECTION_ROW_WORKS, has_clients},
};

/* What holds whichever port is asked about; ROW_MAX: nothing. */
static enum protection_row judge_host(const struct snapshot *s, bool running)
{
	size_t interfaces = s->meta.interfaces < META_INTERFACES ? s->meta.interfaces : META_INTERFACES, gone = 0;

	if (!running)
		return PROTECTION_ROW_NO_RUN;
	for (size_t i = 0; i < interfaces; i++)
		gone += !s->meta.interface[i].ifindex;
	if (gone)
		return gone == interfaces ? PROTECTION_ROW_ALL_GONE : PROTECTION_ROW_INTERFACE_GONE;
	if (s->unslotted)
		return PROTECTION_ROW_PORTS_FULL;
	if (s->served_full)
		return PROTECTION_ROW_SERVED_FULL;
	if (s->meta.dry_run)
		return PROTECTION_ROW_DRY_RUN;
	if (s->meta.flags & META_SYSCTLS_FIXED && s->meta.port_budget && s->meta.challenge == CHALLENGE_AUTO)
		return PROTECTION_ROW_NO_COOKIE;
	return PROTECTION_ROW_MAX;
}

/* `host`: what judge_host() says. */
static enum protection_row row_of_port(const struct snapshot *s, const struct port_view *port, enum protection_row host)
{
	if (!port->port || !port->listening || !port->reachable)
		return PROTECTION_ROW_MAX;
	if (host == PROTECTION_ROW_NO_RUN || host == PROTECTION_ROW_ALL_GONE)
		return host;
	for (size_t i = 0; i < sizeof(port_rows) / sizeof(*port_rows); i++)
		if (port_rows[i].holds(s, port))
			return port_rows[i].row;
	return PROTECTION_ROW_QUIET;
}

static enum protection_row sum_up(const struct protection *p)
{
	bool any = false, budget = false, clients = false;

	for (size_t i = 1; i < p->snapshot->port_count; i++) {
		if (p->ports[i] == PROTECTION_ROW_MAX)
			continue;
		any = true;
		budget |= p->ports[i] != PROTECTION_ROW_NO_BUDGET;
		clients |= p->snapshot->ports[i].recent.completed != 0;
	}
	if (!any)
		return PROTECTION_ROW_NOTHING;
	if (!budget)
		return PROTECTION_ROW_ALL_PASS;
	return clients ? PROTECTION_ROW_ALL_WORK : PROTECTION_ROW_ALL_QUIET;
}

void protection__judge(struct protection *p, const struct snapshot *s, bool running)
{
	enum protection_row host = judge_host(s, running);

	memset(p, 0, sizeof(*p));
	p->snapshot = s;
	p->host = host;
	p->ports[0] = PROTECTION_ROW_MAX;
	for (size_t i = 1; i < s->port_count; i++) {
		p->ports[i] = row_of_port(s, &s->ports[i], host);
		if (p->ports[i] < p->host) {
			p->host = p->ports[i];
			p->port = i;
		}
	}
	if (protection__severity(p->host) != SEVERITY_FINE)
		return;
	p->host = sum_up(p);
	p->port = 0;
}
