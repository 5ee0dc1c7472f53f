/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rtnetlink says of this network namespace's own addresses: links with their MAC addresses and what stands on
 * what, IP addresses, and local routes (AnyIP). It logs nothing: the caller knows what a missing answer means.
 */
#ifndef SYNWARDEN_SYSTEM_LOCAL_NET_H
#define SYNWARDEN_SYSTEM_LOCAL_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

enum link_kind {
	LINK_KIND_OTHER,
	LINK_KIND_VETH,	   /* its lower link is its peer */
	LINK_KIND_MACVTAP, /* what comes in by it goes to a process, not to this host's IP */
	LINK_KIND_OPENVSWITCH,
	LINK_KIND_BOND,
	LINK_KIND_HARDWARE,
};

struct net_link {
	unsigned ifindex;
	unsigned lower;	 /* ifindex of the device that it stands on; 0: none in this namespace */
	unsigned master; /* ifindex of the bridge, bond, team or VRF that it is in; 0: none */
	enum link_kind kind;
	bool has_mac;
	uint8_t mac[6];
	uint8_t hop_limit; /* of IPv6 packets sent there; 0: unknown */
};

struct local_net {
	struct net_link *links;
	size_t link_count;
	struct prefix *prefixes; /* addresses (prefixlen 128) and local routes; some twice; without loopback's */
	size_t prefix_count;
};

/* 0, or a negative errno; local_net__free() in both cases. */
int local_net__read(struct local_net *net);
void local_net__free(struct local_net *net);

/* Whether the address is this host's, but for those of loopback. */
bool local_net__has(const struct local_net *net, const struct addr *addr);

/* Whether `link` is `ifindex` or a device above it, as a bond, bridge, VRF or VLAN. */
bool local_net__stands_on(const struct local_net *net, unsigned ifindex, const struct net_link *link);

/* Whether a frame that comes in by `ifindex` for the MAC address of `link` reaches this host's IP. */
bool local_net__is_above(const struct local_net *net, unsigned ifindex, const struct net_link *link);

/*
 * Whether a native XDP program of the interface `filtered` runs on `link` below it, and sees that one's ifindex: on the
 * ports of a bond, and on the virtual function below a NIC of Hyper-V.
 */
bool local_net__runs_programs_of(const struct local_net *net, unsigned filtered, const struct net_link *link);

/* A descriptor that becomes readable when links, addresses or routes may have changed; or a negative errno. */
int local_net__watch(void);
/* Reads off what has come there; whether anything had. */
bool local_net__changed(int watch);

#endif
