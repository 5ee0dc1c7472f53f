/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A remote address -> the source that is counted and limited, and its hash.
 */
#ifndef SYNWARDEN_SOURCE_H
#define SYNWARDEN_SOURCE_H

#include "maps.bpf.h"
#include "parse.bpf.h"

/* A source is an IPv4 address, or an IPv6 /64: its sender chooses the lower half freely. */
static __always_inline void source_key(struct addr *key, const struct addr *saddr)
{
	*key = *saddr;
	if (!parse_is_v4(key))
		key->halves[1] = 0;
}

/*
 * An IPv4 source differs from others in the second half alone, an IPv6 network in the first, and neighbours in its top
 * byte, which is folded down before each multiplication, as that carries upwards only.
 */
static __always_inline __u64 source_hash(const struct addr *key)
{
	__u64 half = key->halves[1] ^ cfg.hash_seed[1],
	      h = key->halves[0] ^ cfg.hash_seed[0] ^ (half << 29 | half >> 35);

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

/* Puts the source of the address into `key`, and returns its hash. */
static __always_inline __u64 source_of(struct addr *key, const struct addr *addr)
{
	source_key(key, addr);
	return source_hash(key);
}

#endif
