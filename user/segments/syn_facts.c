// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample is small: each SYN is compared with those before it.
 */
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "segments/headers.h"
#include "segments/syn_facts.h"
#include "text/address.h"
#include "text/print.h"

#define VLAN_TAG     4
#define QUARTER	     4
#define TTL_OF_IPV4  8
#define TTL_OF_IPV6  7
#define V4_BITS_FROM 96 /* of a v4-mapped address */

static const unsigned v4_lengths[] = {24, 16, 8}, v6_lengths[] = {64, 48, 32};

#define LENGTHS 3

/* Of a frame whose headers could be read. */
static unsigned read_ttl(const struct sampled_syn *syn, bool is_v4)
{
	size_t at = sizeof(struct ether_header) - 2;

	while (at + VLAN_TAG < syn->copied && (syn->bytes[at] << 8 | syn->bytes[at + 1]) != (is_v4 ? 0x0800 : 0x86dd))
		at += VLAN_TAG;
	at += 2 + (is_v4 ? TTL_OF_IPV4 : TTL_OF_IPV6);
	return at < syn->copied ? syn->bytes[at] : 0;
}

static void describe(char text[SYN_LOOKS_LEN], const struct sampled_syn *syn, const struct segment *segment)
{
	bool is_v4 = print_is_v4(&segment->src);

	*text = '\0';
	print_append(text, SYN_LOOKS_LEN, "%s %u, window %u", is_v4 ? "TTL" : "hop limit", read_ttl(syn, is_v4),
		     segment->window);
	if (segment->mss)
		print_append(text, SYN_LOOKS_LEN, ", MSS %u", segment->mss);
	if (segment->options & SEGMENT_OPTION_SACK_PERMITTED)
		print_append(text, SYN_LOOKS_LEN, ", SACK permitted");
	if (segment->options & SEGMENT_OPTION_TIMESTAMPS)
		print_append(text, SYN_LOOKS_LEN, ", timestamps");
	if (segment->wscale != SEGMENT_NO_WSCALE)
		print_append(text, SYN_LOOKS_LEN, ", window scale %u", segment->wscale);
	if (!segment->mss && !segment->options && segment->wscale == SEGMENT_NO_WSCALE)
		print_append(text, SYN_LOOKS_LEN, ", no options");
	print_append(text, SYN_LOOKS_LEN, ", %u bytes", syn->len);
}

static void add_looks(struct syn_facts *facts, const char *text)
{
	size_t i;

	for (i = 0; i < facts->looks_count && strcmp(facts->looks[i].text, text) != 0; i++)
		;
	if (i == facts->looks_count)
		strcpy(facts->looks[facts->looks_count++].text, text);
	facts->looks[i].count++;
}

static struct prefix cut(const struct addr *addr, size_t level)
{
	unsigned bits = print_is_v4(addr) ? V4_BITS_FROM + v4_lengths[level] : v6_lengths[level];
	struct prefix prefix = {.prefixlen = bits};

	memcpy(prefix.words, addr, bits / 8);
	return prefix;
}

static void add_prefix(struct syn_facts *facts, struct prefix prefix)
{
	size_t i;

	for (i = 0; i < facts->prefix_count && memcmp(&facts->prefixes[i].prefix, &prefix, sizeof(prefix)) != 0; i++)
		;
	if (i == facts->prefix_count)
		facts->prefixes[facts->prefix_count++] = (struct syn_prefix){.prefix = prefix};
	facts->prefixes[i].count++;
}

static int compare_prefixes(const void *a, const void *b)
{
	size_t of_a = ((const struct syn_prefix *)a)->count, of_b = ((const struct syn_prefix *)b)->count;

	return (of_a < of_b) - (of_a > of_b);
}

static int compare_looks(const void *a, const void *b)
{
	size_t of_a = ((const struct syn_looks *)a)->count, of_b = ((const struct syn_looks *)b)->count;

	return (of_a < of_b) - (of_a > of_b);
}

static void find_prefixes(struct syn_facts *facts, const struct addr *sources)
{
	for (size_t level = 0; level < LENGTHS; level++) {
		facts->prefix_count = 0;
		for (size_t i = 0; i < facts->syns; i++)
			add_prefix(facts, cut(&sources[i], level));
		qsort(facts->prefixes, facts->prefix_count, sizeof(facts->prefixes[0]), compare_prefixes);
		if (facts->prefix_count && facts->prefixes[0].count * QUARTER >= facts->syns)
			return;
	}
	facts->spread = facts->syns != 0;
}

static size_t count_distinct(const struct addr *sources, size_t count)
{
	size_t distinct = 0, before;

	for (size_t i = 0; i < count; i++) {
		for (before = 0; before < i && memcmp(&sources[before], &sources[i], sizeof(sources[i])) != 0; before++)
			;
		distinct += before == i;
	}
	return distinct;
}

void syn_facts__gather(struct syn_facts *facts, const struct syn_pcap *pcap)
{
	struct addr sources[SYN_SAMPLE_SIZE];
	char text[SYN_LOOKS_LEN];

	*facts = (struct syn_facts){};
	for (size_t i = 0; i < pcap->count; i++) {
		const struct sampled_syn *syn = &pcap->syns[i];
		struct headers_payload payload;
		struct segment segment = {};

		if (headers__parse(&segment, &payload, HEADERS_ETHERNET, syn->bytes, syn->copied) != HEADERS_TCP)
			continue;
		describe(text, syn, &segment);
		add_looks(facts, text);
		facts->several_targets |= facts->syns && memcmp(&facts->target, &segment.dst, sizeof(segment.dst)) != 0;
		facts->target = segment.dst;
		sources[facts->syns++] = segment.src;
	}
	facts->sources = count_distinct(sources, facts->syns);
	find_prefixes(facts, sources);
	qsort(facts->looks, facts->looks_count, sizeof(facts->looks[0]), compare_looks);
}
