/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the stack would give a packet to this host: the frame is for one of the MAC addresses by which the interface
 * is reached, the destination is an address of this host now, and the source is one that TCP answers. If not, the
 * packet is not the filter's business, and passes.
 */
#ifndef SYNWARDEN_LOCAL_BPF_H
#define SYNWARDEN_LOCAL_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"

/* Written by `run` alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct local);
} locals SEC(".maps");

/* Prefixes whose addresses are all this host's (AnyIP), and addresses that found no place in `locals`; the value is the
 * key. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LOCAL_PREFIXES);
	__type(key, struct prefix);
	__type(value, struct prefix);
} local_prefixes SEC(".maps");

/* Never NULL; the check is for the verifier. */
static __always_inline const struct local *local_state(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&locals, &key);
}

/* One more than the place of an address of this host; 0: it is none, or in a prefix. */
static __always_inline __u32 local_place(const struct local *local, const struct addr *addr)
{
	__u32 bucket = local_bucket(addr), used = local->used[bucket], way;

#pragma unroll
	for (way = 0; way < LOCAL_WAYS; way++)
		if (way < used && local->addrs[bucket][way].halves[1] == addr->halves[1] &&
		    local->addrs[bucket][way].halves[0] == addr->halves[0])
			return bucket * LOCAL_WAYS + way + 1;
	return 0;
}

/* Whether the address is one of this host's, but for those in prefixes. */
static __always_inline int local_has(const struct local *local, const struct addr *addr)
{
	return !!local_place(local, addr);
}

/* The prefix of local addresses (AnyIP) that holds the address; NULL: none does. */
static __always_inline const struct prefix *local_prefix(const struct local *local, const struct addr *addr)
{
	struct prefix key = {
		.prefixlen = 128,
		.words = {addr->words[0], addr->words[1], addr->words[2], addr->words[3]},
	};

	return local->prefixes ? bpf_map_lookup_elem(&local_prefixes, &key) : 0;
}

/* How a packet reaches this host: begun by local_arrive(), and filled in by local_takes(). */
struct arrival {
	const struct local *local;
	const struct local_mac *mac; /* by which its frame does; NULL: unknown */
	int found; /* 1: this CPU has found its address to be served on its port, and nothing has changed since */
};

/* 1, but to the verifier. */
static __always_inline int local_arrive(struct arrival *arrival, const struct packet *pkt,
					const struct port_count *count)
{
	const struct local *local = local_state();

	if (!local)
		return 0;
	arrival->local = local;
	arrival->found = count->served.halves[1] == pkt->daddr.halves[1] &&
			 count->served.halves[0] == pkt->daddr.halves[0] && count->served_epoch == local->epoch;
	return 1;
}

static __always_inline int local_is_own(const struct local *local, const struct addr *addr)
{
	return local_has(local, addr) || local_prefix(local, addr);
}

/* The Ethernet header of the frame; NULL: it has none. */
static __always_inline const struct parse_eth *local_eth(struct xdp_md *ctx)
{
	const struct parse_eth *eth = (void *)(long)ctx->data;

	return (void *)(eth + 1) > (void *)(long)ctx->data_end ? 0 : eth;
}

static __always_inline int local_is_mac(const struct local_mac *mac, const __be16 *words, __u32 ifindex)
{
	return mac->words[2] == words[2] && mac->words[1] == words[1] && mac->words[0] == words[0] &&
	       mac->ifindex == ifindex;
}

/* How this interface is reached by the frame's destination MAC address; NULL: the frame is another station's. */
static __always_inline const struct local_mac *local_mac(struct xdp_md *ctx, const struct local *local)
{
	const struct parse_eth *eth = local_eth(ctx);
	const struct local_mac *bucket;
	__u32 way;

	if (!eth)
		return 0;
	bucket = local->macs[local_mac_bucket(((const __u8 *)eth->dest)[ETH_ALEN - 1], ctx->ingress_ifindex)];
#pragma unroll
	for (way = 0; way < LOCAL_MAC_WAYS; way++)
		if (local_is_mac(&bucket[way], eth->dest, ctx->ingress_ifindex))
			return &bucket[way];
	return 0;
}

/* Whether the filter runs on the interface. */
static __always_inline int local_filters(__u32 ifindex)
{
	const struct local *local = local_state();
	__u32 i;

	for (i = 0; local && i < LOCAL_INTERFACES && local->filtered[i]; i++)
		if (local->filtered[i] == ifindex)
			return 1;
	return 0;
}

/* Whether the packet would reach TCP here, of whatever frame it is in. */
static __always_inline int local_takes_packet(const struct packet *pkt, const struct arrival *arrival)
{
	return !local_is_martian(&pkt->saddr) && !local_is_own(arrival->local, &pkt->saddr) &&
	       (arrival->found || local_is_own(arrival->local, &pkt->daddr)) &&
	       parse_is_v4(&pkt->saddr) == parse_is_v4(&pkt->daddr);
}

static __always_inline int local_takes(struct xdp_md *ctx, const struct packet *pkt, struct arrival *arrival)
{
	arrival->mac = local_mac(ctx, arrival->local);
	return arrival->mac && local_takes_packet(pkt, arrival);
}

/* Whether the frame names no destination: a question about any that reaches this host. */
static __always_inline int local_is_any_frame(struct xdp_md *ctx)
{
	const struct parse_eth *eth = local_eth(ctx);

	return eth && !eth->dest[0] && !eth->dest[1] && !eth->dest[2];
}

#endif
