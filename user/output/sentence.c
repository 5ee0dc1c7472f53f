// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct port_view -> one sentence.
 */
#include <stdio.h>

#include "output/sentence.h"
#include "text/print.h"

char *sentence__attack(char buf[SENTENCE_LEN], const struct port_view *port)
{
	char rate[PRINT_NUMBER_LEN], sources[PRINT_NUMBER_LEN], unanswered[PRINT_NUMBER_LEN];
	const struct attack *attack = &port->attack;

	snprintf(buf, SENTENCE_LEN,
		 "port %u is %s: %s SYN/s from about %s sources in 10 s, %llu.%llu %% of handshakes complete, %s "
		 "challenges unanswered",
		 port->port, attack->under_attack ? "under SYN attack" : "over its budget",
		 print_count(rate, attack->syn_rate), print_count(sources, attack->sources),
		 attack->completed_permille / 10, attack->completed_permille % 10,
		 print_count(unanswered, attack->unanswered));
	return buf;
}
