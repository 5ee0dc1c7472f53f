// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is worked out from a snapshot.
 */
#include "kernel/snapshot.h"
#include "text/names.h"

uint64_t snapshot__packets(const struct snapshot *s, enum verdict verdict)
{
	uint64_t packets = 0;
	size_t i;

	for (i = 0; i < REASON_MAX; i++)
		if (print_reason_verdict(i) == verdict)
			packets += s->verdicts[i].packets;
	return packets;
}

uint64_t snapshot__syns(const struct snapshot *s)
{
	uint64_t syns = 0;
	size_t i;

	for (i = 0; i < s->port_count; i++)
		syns += s->ports[i].syns;
	return syns;
}

uint64_t snapshot__entered(const struct snapshot *s, unsigned state)
{
	uint64_t n = 0;

	for (unsigned from = 0; from < STATE_MAX; from++)
		n += s->transitions[from][state];
	return n;
}

uint64_t snapshot__left(const struct snapshot *s, unsigned state)
{
	uint64_t n = 0;

	for (unsigned to = 0; to < STATE_MAX; to++)
		n += s->transitions[state][to];
	return n;
}

int snapshot__completed(const struct port_view *port)
{
	if (!port->passed || port->challenged)
		return -1;
	return port->completed < port->passed ? port->completed * 1000 / port->passed : 1000;
}
