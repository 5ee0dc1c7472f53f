// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel counts segments where it takes them, IPv4 and IPv6 together, before it looks for their socket.
 */
#include <stdio.h>
#include <string.h>

#include "run/motion.h"

#define COUNTERS "/proc/thread-self/net/snmp"

/* The second of the two lines that begin so: the first one has the names. */
static void read_tcp(char tcp[MOTION_LEN])
{
	FILE *file = fopen(COUNTERS, "re");
	int lines = 0;

	while (file && lines < 2 && fgets(tcp, MOTION_LEN, file))
		lines += !strncmp(tcp, "Tcp:", 4);
	if (lines < 2)
		*tcp = '\0';
	if (file)
		fclose(file);
}

void motion__read(struct motion *motion, const struct reconcile_flows *flows)
{
	motion->transitions = 0;
	for (unsigned state = 0; state < STATE_MAX; state++)
		motion->transitions += flows->moved[state];
	read_tcp(motion->tcp);
}

bool motion__is_same(const struct motion *a, const struct motion *b)
{
	return a->transitions == b->transitions && *a->tcp && !strcmp(a->tcp, b->tcp);
}
