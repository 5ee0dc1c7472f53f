/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a sample of SYNs has in common: where they come from, and what they look like.
 */
#ifndef SYNWARDEN_SEGMENTS_SYN_FACTS_H
#define SYNWARDEN_SEGMENTS_SYN_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "output/syn_pcap.h"
#include "types.h"

#define SYN_LOOKS_LEN 128

struct syn_prefix {
	struct prefix prefix;
	size_t count; /* SYNs of the sample */
};

struct syn_looks {
	char text[SYN_LOOKS_LEN]; /* "TTL 64, window 1024, MSS 1460, SACK permitted, window scale 7" */
	size_t count;
};

struct syn_facts {
	size_t syns;	    /* that could be read; 0: nothing is known */
	size_t sources;	    /* distinct addresses */
	struct addr target; /* of the last one */
	bool several_targets;
	/*
	 * By the longest of the lengths /24, /16, /8 (IPv6 /64, /48, /32) of which one prefix has a quarter of the
	 * sample, the most frequent first; spread: there is none, and these are the shortest.
	 */
	bool spread;
	size_t prefix_count;
	struct syn_prefix prefixes[SYN_SAMPLE_SIZE];
	size_t looks_count; /* the most frequent first */
	struct syn_looks looks[SYN_SAMPLE_SIZE];
};

void syn_facts__gather(struct syn_facts *facts, const struct syn_pcap *pcap);

#endif
