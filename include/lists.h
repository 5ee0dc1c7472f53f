/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists: this host's own, and those of a fleet, which `synwarden sync` fills. Each of the two sets has an allow and
 * a block list, and each of those a hash of whole addresses and a trie of ranges. One filter in front answers for the
 * whole set: a word of 64 bits by the address's /24 (IPv6: /48), in which every entry there has one bit that is the
 * same for all, and two at places that depend on its list and kind. What is on no list costs a look at that word,
 * and one for each level below that the set has.
 *
 * Wider prefixes: an IPv4 prefix from /16 on stands as up to 256 /24s; one of IPv6 from /24 to /47 as up to 256 /32s;
 * whatever is shorter has a bit for each /16 that it covers, in a table behind the words. Such a level is looked at
 * only where the set has such prefixes.
 */
#ifndef SYNWARDEN_LISTS_TYPES_H
#define SYNWARDEN_LISTS_TYPES_H

#include <linux/types.h>

#include "conns.h"

/* A key of the list tries. prefixlen counts from the first of 128 bits: 96 + n for an IPv4 prefix of n bits. */
struct prefix {
	__u32 prefixlen;
	__be32 words[4]; /* as in struct addr, whose alignment would leave a hole */
};

enum list {
	LIST_ALLOW,
	LIST_BLOCK,
	LIST_MAX,
};

/* An entry of the allow or block list. */
struct list_entry {
	__u64 expires_ns; /* 0: never */
	__u32 prefixlen;  /* of its own key, so that a look-up can go on past an expired entry */
	__u32 origins;	  /* bits of enum list_origin; of a fleet's list, a row of `fleet_origins`. Read by the user
			     side alone */
};

/* What added an entry. One from the configuration file is removed when the file no longer names it, unless a command
 * added it too. */
enum list_origin {
	LIST_BY_COMMAND = 1,
	LIST_BY_FILE = 2,
};

enum list_set_kind {
	LIST_SET_OWN,
	LIST_SET_FLEET,
	LIST_SETS,
};

/* Entries of each list of a set: --max-entries, and max-entries of [sync]. */
#define LIST_ENTRIES_MIN   1024
#define LIST_ENTRIES_MAX   1048576
#define LIST_ENTRIES_OWN   65536 /* the defaults */
#define LIST_ENTRIES_FLEET 131072

/* A trie takes 160 bytes an entry and microseconds a look-up: of a long list, a quarter may be ranges. */
static inline __u32 list_ranges_max(__u32 entries)
{
	return entries <= LIST_ENTRIES_OWN ? entries : entries / 4 > LIST_ENTRIES_OWN ? entries / 4 : LIST_ENTRIES_OWN;
}

/* The maps hold twice the entries, so that the new ones of a list that is replaced come before the old ones go. */
#define LIST_ROOM 2

enum list_kind {
	LIST_HOSTS,
	LIST_RANGES,
	LIST_KINDS,
};

/* What a filter's copy has; 0: nothing is listed. */
enum list_level {
	LIST_FINE = 1,	/* words by /24 and /48 */
	LIST_MID = 2,	/* words by /32 of IPv6 */
	LIST_BROAD = 4, /* bits by /16 */
};

#define LIST_COPIES 2 /* of the filter: one is in force, the other is built anew, so that it does not wear out */

#define LIST_FLEET_MAPS 8

/* One of a set, in memory that the user side shares with the filter. */
struct list_control {
	__u32 current;		   /* the copy in force */
	__u32 levels[LIST_COPIES]; /* bits of enum list_level */
	__u32 retired;		   /* 1: no filter asks these maps any more */
	__u64 seed;		   /* as config.hash_seed[HASH_SEED_LISTS]; the user side finds the words with it */
	__u64 changes;		   /* of the lists, by any process: counted before and after each */
	__u32 capacity;		   /* entries of each list */
	__u32 passes;		   /* copies that were built */
	__u32 counts[LIST_MAX][LIST_KINDS]; /* entries, with those that expired and are not swept yet */
	__u32 ids[LIST_FLEET_MAPS];	    /* of the maps that belong together; of the fleet's lists alone */
};

/* 16 bits for each entry that one list may have, as the other one is mostly short: a power of two. */
static inline __u32 list_words(__u32 entries)
{
	__u32 words = 1;

	while (words < entries / (64 / 16))
		words *= 2;
	return words;
}

#define LIST_BROAD_WORDS 4096 /* two bits, allow and block, for each /16 of both families */

/* The words of one copy. */
static inline __u32 list_copy_words(__u32 words)
{
	return words + LIST_BROAD_WORDS;
}

static inline __u32 list_word_of(__be32 word)
{
	return __builtin_bswap32(word);
}

/* Which /24 an IPv4 address is of, or which /48 an IPv6 address. Host order. */
static inline __u64 list_fine_v4(__u32 addr)
{
	return 1ULL << 63 | addr >> 8;
}

static inline __u64 list_fine_v6(__u32 first, __u32 second)
{
	return (__u64)first << 16 | second >> 16;
}

/* Which /32 of IPv6. */
static inline __u64 list_mid_v6(__u32 first)
{
	return 1ULL << 62 | first;
}

/* Which /16. */
static inline __u32 list_broad(int v4, __u32 first)
{
	return v4 << 16 | first >> 16;
}

/* A multiplication carries upwards only: its upper half is folded down. After one alone, lists of equal steps would be
 * spread unevenly. */
static inline __u64 list_hash(__u64 key, __u64 seed)
{
	__u64 h = (key ^ seed) * 0xd6e8feb86659fd93ULL;

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

/* The word of a copy; in it, the bit of each entry, and two of hosts on the allow list. */
static inline __u32 list_word_at(__u64 hash, __u32 words)
{
	return hash >> 32 & (words - 1);
}

static inline __u64 list_bit(__u64 hash)
{
	return 1ULL << (hash & 63);
}

static inline __u64 list_bits(__u64 hash)
{
	return 1ULL << (hash >> 6 & 63) | 1ULL << (hash >> 12 & 63);
}

/* The latter of another list and kind. */
static inline __u64 list_bits_of(__u64 bits, __u32 kind, __u32 list)
{
	__u32 turn = 16 * (kind * LIST_MAX + list);

	return turn ? bits << turn | bits >> (64 - turn) : bits;
}

/* 1 where the word has all the bits, else 0; without a branch, which the verifier would follow to the program's end. */
static inline __u32 list_has(__u64 word, __u64 bits)
{
	__u64 missing = ~word & bits;

	asm volatile("" : "+r"(missing)); /* or the compiler makes a branch of it */
	return ((missing | -missing) >> 63) ^ 1;
}

/* Where the /16's two bits are, behind the words of a copy. */
static inline __u32 list_broad_at(__u32 broad, __u32 words)
{
	return words + (broad >> 5);
}

static inline __u32 list_broad_shift(__u32 broad, __u32 list)
{
	return (broad & 31) * LIST_MAX + list;
}

/* The fleet's. */

#define FLEET_ORIGINS 1024 /* rows; row 0: unknown */

/* Where entries of a fleet come from; an entry has the number of its row. Texts end with a NUL, and are cut. */
struct fleet_origin {
	char source[32];   /* "crowdsec", or the name of a list; empty: the row is free */
	char origin[32];   /* as the source has it, "CAPI"; empty: none */
	char scenario[64]; /* "crowdsecurity/ssh-bf"; empty: none */
};

#define FLEET_SOURCES 32

enum fleet_pull {
	FLEET_PULL_DELTA,
	FLEET_PULL_FULL,
	FLEET_PULL_MAX,
};

enum fleet_change {
	FLEET_ADDED,
	FLEET_RENEWED,
	FLEET_REMOVED,
	FLEET_EXPIRED,
	FLEET_CHANGE_MAX,
};

/* Why an entry of a source is not on the list. */
enum fleet_rejected {
	FLEET_FULL,
	FLEET_PRIVATE, /* a protected range */
	FLEET_SHORT,   /* its prefix is too short */
	FLEET_SCOPE,
	FLEET_TYPE,
	FLEET_SYNTAX,
	FLEET_REJECTED_MAX,
};

/* What `sync` tells of one source, for `run`, which serves it also when `sync` is gone. */
struct fleet_source {
	char name[32];	      /* empty: the row is free */
	__u64 last_success_s; /* CLOCK_REALTIME, seconds; 0: never */
	__u64 last_try_ns;
	__u64 next_ns;
	__u64 duration_ns; /* of the last pull that succeeded */
	__u64 entries[LIST_MAX];
	__u64 pulls[FLEET_PULL_MAX][2]; /* that failed, and that succeeded */
	__u64 changes[FLEET_CHANGE_MAX];
	__u64 rejected[FLEET_REJECTED_MAX];
	__u64 missed;	/* entries that a full pull found, and no delta had told */
	__u32 up;	/* 1: the last try succeeded */
	__u32 failures; /* tries since the last success */
	char error[64]; /* of the last failure */
};

_Static_assert(sizeof(struct prefix) == 20, "LPM trie key");
_Static_assert(sizeof(struct list_control) == 88, "no holes: other processes map it");

#endif
