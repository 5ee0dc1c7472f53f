// SPDX-License-Identifier: GPL-2.0-only
/*
 * All is listed anew after any change: what a single message says need not be the last word when it is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "system/local_net.h"
#include "system/netlink.h"

#define LIST_TRIES   5
#define ABOVE_LEVELS 8 /* a VLAN on a bridge on a bond: how many devices may stand on each other */
#define LOOPBACK_NET 127

static enum link_kind read_kind(const struct nlattr *info)
{
	static const struct {
		const char *name;
		enum link_kind kind;
	} kinds[] = {
		{"", LINK_KIND_HARDWARE},	{"veth", LINK_KIND_VETH},
		{"macvtap", LINK_KIND_MACVTAP}, {"openvswitch", LINK_KIND_OPENVSWITCH},
		{"bond", LINK_KIND_BOND},
	};
	const struct nlattr *found[IFLA_INFO_KIND + 1];
	char name[16];

	netlink__nested(found, IFLA_INFO_KIND + 1, info);
	netlink__string(name, sizeof(name), found[IFLA_INFO_KIND]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].kind;
	return LINK_KIND_OTHER;
}

/* The device's settings for IPv6 are numbers of 4 bytes. */
static uint8_t read_hop_limit(const struct nlattr *families)
{
	const struct nlattr *by_family[AF_INET6 + 1], *found[IFLA_INET6_CONF + 1];
	int32_t limit = 0;

	netlink__nested(by_family, AF_INET6 + 1, families);
	netlink__nested(found, IFLA_INET6_CONF + 1, by_family[AF_INET6]);
	if (found[IFLA_INET6_CONF] &&
	    mnl_attr_get_payload_len(found[IFLA_INET6_CONF]) >= (DEVCONF_HOPLIMIT + 1) * sizeof(limit))
		memcpy(&limit,
		       (const char *)mnl_attr_get_payload(found[IFLA_INET6_CONF]) + DEVCONF_HOPLIMIT * sizeof(limit),
		       sizeof(limit));
	return limit > 0 && limit <= UINT8_MAX ? limit : 0;
}

static int add_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[IFLA_LINK_NETNSID + 1];
	struct local_net *net = context;
	struct net_link *link, *grown;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	grown = realloc(net->links, (net->link_count + 1) * sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	net->links = grown;
	link = &grown[net->link_count++];
	netlink__attributes(found, IFLA_LINK_NETNSID + 1, message, sizeof(*header));
	*link = (struct net_link){
		.ifindex = header->ifi_index,
		.lower = found[IFLA_LINK_NETNSID] ? 0 : netlink__number(found[IFLA_LINK]),
		.master = netlink__number(found[IFLA_MASTER]),
		.kind = read_kind(found[IFLA_LINKINFO]),
		.hop_limit = read_hop_limit(found[IFLA_AF_SPEC]),
	};
	link->has_mac = found[IFLA_ADDRESS] && mnl_attr_get_payload_len(found[IFLA_ADDRESS]) == sizeof(link->mac);
	if (link->has_mac)
		memcpy(link->mac, mnl_attr_get_payload(found[IFLA_ADDRESS]), sizeof(link->mac));
	return MNL_CB_OK;
}

/* What no network may send to. */
static bool is_loopback(int family, const void *address)
{
	if (family == AF_INET)
		return *(const uint8_t *)address == LOOPBACK_NET;
	return !memcmp(address, &in6addr_loopback, sizeof(in6addr_loopback));
}

/* `len` counts from the first bit of an address of this family. */
static int add_prefix(struct local_net *net, int family, const struct nlattr *address, unsigned len)
{
	const size_t bytes = family == AF_INET ? 4 : 16;
	struct prefix *grown, *prefix;

	if (!address || mnl_attr_get_payload_len(address) != bytes)
		return MNL_CB_OK;
	if (is_loopback(family, mnl_attr_get_payload(address)))
		return MNL_CB_OK;
	grown = realloc(net->prefixes, (net->prefix_count + 1) * sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	net->prefixes = grown;
	prefix = &grown[net->prefix_count++];
	*prefix = (struct prefix){.prefixlen = 128 - bytes * 8 + len};
	if (family == AF_INET)
		prefix->words[2] = htonl(0xffff);
	memcpy((char *)prefix->words + sizeof(prefix->words) - bytes, mnl_attr_get_payload(address), bytes);
	return MNL_CB_OK;
}

static int add_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[IFA_LOCAL + 1];

	if (message->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	netlink__attributes(found, IFA_LOCAL + 1, message, sizeof(*header));
	return add_prefix(context, header->ifa_family, found[IFA_LOCAL] ? found[IFA_LOCAL] : found[IFA_ADDRESS],
			  header->ifa_family == AF_INET ? 32 : 128);
}

static int add_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[RTA_DST + 1];

	if (message->nlmsg_type != RTM_NEWROUTE || header->rtm_type != RTN_LOCAL || header->rtm_table != RT_TABLE_LOCAL)
		return MNL_CB_OK;
	netlink__attributes(found, RTA_DST + 1, message, sizeof(*header));
	return add_prefix(context, header->rtm_family, found[RTA_DST], header->rtm_dst_len);
}

static int list_once(struct local_net *net)
{
	const struct ifinfomsg links = {};
	const struct ifaddrmsg addresses = {};
	const struct rtmsg routes4 = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL};
	const struct rtmsg routes6 = {.rtm_family = AF_INET6, .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL};
	const struct {
		uint16_t type;
		const void *header;
		size_t bytes;
		mnl_cb_t add;
	} lists[] = {
		{RTM_GETLINK, &links, sizeof(links), add_link},
		{RTM_GETADDR, &addresses, sizeof(addresses), add_address},
		{RTM_GETROUTE, &routes4, sizeof(routes4), add_route},
		{RTM_GETROUTE, &routes6, sizeof(routes6), add_route},
	};
	int err = 0;

	net->link_count = net->prefix_count = 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && !err; i++) {
		union netlink_request request;
		struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);

		message->nlmsg_type = lists[i].type;
		message->nlmsg_flags = NLM_F_DUMP;
		memcpy(mnl_nlmsg_put_extra_header(message, lists[i].bytes), lists[i].header, lists[i].bytes);
		err = netlink__ask(NETLINK_ROUTE, message, lists[i].add, net);
	}
	return err;
}

int local_net__read(struct local_net *net)
{
	int err, tries = LIST_TRIES;

	*net = (struct local_net){};
	do
		err = list_once(net);
	while (err == -EINTR && --tries);
	return err;
}

void local_net__free(struct local_net *net)
{
	free(net->links);
	free(net->prefixes);
	*net = (struct local_net){};
}

bool local_net__has(const struct local_net *net, const struct addr *addr)
{
	for (size_t i = 0; i < net->prefix_count; i++) {
		const struct prefix *prefix = &net->prefixes[i];
		unsigned bytes = prefix->prefixlen / 8, bits = prefix->prefixlen % 8;
		const uint8_t *in = (const uint8_t *)prefix->words;

		if (!memcmp(in, addr->bytes, bytes) &&
		    (!bits || !((in[bytes] ^ addr->bytes[bytes]) & (0xff00 >> bits & 0xff))))
			return true;
	}
	return false;
}

static const struct net_link *find(const struct local_net *net, unsigned ifindex)
{
	for (size_t i = 0; i < net->link_count; i++)
		if (net->links[i].ifindex == ifindex)
			return &net->links[i];
	return NULL;
}

static bool is_above(const struct local_net *net, const struct net_link *below, const struct net_link *link, int levels)
{
	const struct net_link *master;

	if (!below || !levels)
		return false;
	if (below == link)
		return true;
	master = find(net, below->master);
	/* An Open vSwitch hands frames to internal ports, which no attribute ties to it. */
	if (master && master->kind == LINK_KIND_OPENVSWITCH && link->kind == LINK_KIND_OPENVSWITCH)
		return true;
	if (is_above(net, master, link, levels - 1))
		return true;
	for (size_t i = 0; i < net->link_count; i++)
		if (net->links[i].lower == below->ifindex && net->links[i].kind != LINK_KIND_VETH &&
		    net->links[i].kind != LINK_KIND_MACVTAP && is_above(net, &net->links[i], link, levels - 1))
			return true;
	return false;
}

bool local_net__stands_on(const struct local_net *net, unsigned ifindex, const struct net_link *link)
{
	return is_above(net, find(net, ifindex), link, ABOVE_LEVELS);
}

bool local_net__is_above(const struct local_net *net, unsigned ifindex, const struct net_link *link)
{
	return link->has_mac && local_net__stands_on(net, ifindex, link);
}

bool local_net__runs_programs_of(const struct local_net *net, unsigned filtered, const struct net_link *link)
{
	const struct net_link *above = link->master == filtered ? find(net, filtered) : NULL;

	return above && (above->kind == LINK_KIND_BOND || above->kind == LINK_KIND_HARDWARE);
}

/* Of routes, only local ones matter; but the kernel tells of all in one group, and a router has many: they are looked
 * at now and then instead. */
int local_net__watch(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (void *)&address, sizeof(address)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* What did not fit is lost, and reported as ENOBUFS: a change as well. */
bool local_net__changed(int watch)
{
	char message[4096];
	bool changed = false;

	while (recv(watch, message, sizeof(message), 0) >= 0 || errno == ENOBUFS)
		changed = true;
	return changed;
}
