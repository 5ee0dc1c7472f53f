/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow and the block list: one trie each for both families, entries may expire.
 */
#ifndef SYNWARDEN_LISTS_H
#define SYNWARDEN_LISTS_H

#include "parse.bpf.h"
#include "report.bpf.h"

#define LISTS_NESTED 8 /* expired prefixes around one address that are skipped at most; `run` removes them */

/*
 * The longest prefix decides, but an expired one must not hide a shorter one that is still valid. A prefix shorter than
 * ::ffff:0:0/96 applies to IPv6 alone, though it spans the v4-mapped addresses.
 */
static __always_inline const struct list_entry *lists_search(void *trie, const struct addr *addr)
{
	struct prefix key = {
		.prefixlen = 128,
		.words = {addr->words[0], addr->words[1], addr->words[2], addr->words[3]},
	};
	const struct list_entry *entry;
	int i;

	for (i = 0; i < LISTS_NESTED; i++) {
		entry = bpf_map_lookup_elem(trie, &key);
		if (!entry || (entry->prefixlen < 96 && parse_is_v4(addr)))
			return 0;
		if (!entry->expires_ns || entry->expires_ns > bpf_ktime_get_coarse_ns())
			return entry;
		if (!entry->prefixlen)
			return 0;
		key.prefixlen = entry->prefixlen - 1;
	}
	return 0;
}

static __always_inline const struct list_entry *lists_match(void *trie, enum list list, const struct addr *addr)
{
	__u32 which = list, *used = bpf_map_lookup_elem(&lists_used, &which);

	return used && *used ? lists_search(trie, addr) : 0;
}

#endif
