/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is this host's own now: the MAC addresses by which its filtered interfaces are reached, and its IP addresses.
 * `run` writes it whenever rtnetlink reports a change; the filter asks it for each SYN to a port with a budget.
 */
#ifndef SYNWARDEN_LOCAL_H
#define SYNWARDEN_LOCAL_H

#include <linux/types.h>

#include "conns.h"

#define LOCAL_BUCKETS	  1024 /* a power of two */
#define LOCAL_WAYS	  4
#define LOCAL_MAC_BUCKETS 64 /* a power of two */
#define LOCAL_MAC_WAYS	  4
#define LOCAL_INTERFACES  64 /* with the ports of bonds */
#define LOCAL_PREFIXES	  16384

/* A MAC address by which frames on an interface reach this host's IP. */
struct local_mac {
	__u32 ifindex; /* on which the program sees the frame; 0: none */
	__be16 words[3];
	__u8 hop_limit; /* of IPv6 packets that leave by the interface; 0: unknown */
	__u8 above;	/* 1: devices stand above ifindex, and sockets that are bound to them are not found from it */
};

/* One value for all; see local_bucket(). */
struct local {
	__u8 used[LOCAL_BUCKETS]; /* addresses in each bucket */
	struct addr addrs[LOCAL_BUCKETS][LOCAL_WAYS];
	struct local_mac macs[LOCAL_MAC_BUCKETS][LOCAL_MAC_WAYS]; /* by local_mac_bucket() */
	__u32 filtered[LOCAL_INTERFACES];			  /* ifindexes on which the program runs; 0: none */
	__u32 prefixes; /* 1: what is not in a bucket may be in the trie: a prefix, or a bucket was full */
	__u32 epoch;	/* changes whenever any of this does, or an entry of `served` has been removed */
};

/* The bucket of an address. Who knows the hash gains nothing: a bucket is as dear to look at whatever is in it. */
static inline __u32 local_bucket(const struct addr *addr)
{
	__u32 mix = addr->words[0] ^ addr->words[1] ^ addr->words[2] ^ addr->words[3];

	return mix * 0x9e3779b1U >> 22;
}

/* The bucket of a MAC address with this last byte: the ports of a bond, which share theirs, have one each. */
static inline __u32 local_mac_bucket(__u32 last_byte, __u32 ifindex)
{
	return (last_byte + ifindex) % LOCAL_MAC_BUCKETS;
}

/*
 * Sources that no answer can reach, and that the kernel discards itself (RFC 9293 MUST-57; martian sources of
 * ip_route_input_slow(), ip6_rcv_core()): 0.0.0.0, 127.0.0.0/8, 224.0.0.0/4, 255.255.255.255, ::1, ff00::/8.
 */
static inline int local_is_martian(const struct addr *source)
{
	const __be32 mapped = (__be32)__builtin_bswap32(0x0000ffff);
	__u32 first = source->bytes[12];

	if (!source->halves[0] && source->words[2] == mapped)
		return !source->words[3] || first == 127 || (first & 0xf0) == 224 || source->words[3] == (__be32)~0;
	if (source->bytes[0] == 0xff)
		return 1;
	return !source->halves[0] && source->halves[1] == (__be64)__builtin_bswap64(1);
}

_Static_assert(LOCAL_BUCKETS == 1 << (32 - 22), "local_bucket() gives as many");
_Static_assert(sizeof(struct local_mac) == 12, "no hole");

#endif
