// SPDX-License-Identifier: GPL-2.0-only
/*
 * rtnetlink's list with the XDP program of each, and from the netdev family of generic netlink the XDP features of
 * each driver.
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "system/devices.h"
#include "system/netlink.h"
#include "text/log.h"

/* From <linux/netdev.h>, which came with 6.3 and is newer than the oldest headers that this builds with. */
#define GENETLINK_VERSION    1 /* of both families */
#define NETDEV_FAMILY	     "netdev"
#define NETDEV_GET	     1
#define NETDEV_IFINDEX	     1
#define NETDEV_XDP_FEATURES  3
#define NETDEV_ATTRIBUTES    4
#define NETDEV_FEATURE_BASIC (1 << 0)
#define NETDEV_FEATURE_RX_SG (1 << 5)

#define LIST_TRIES 10 /* interfaces may come and go while they are listed */

static void read_kind(struct device *device, const struct nlattr *info)
{
	const struct nlattr *found[IFLA_INFO_KIND + 1];

	netlink__nested(found, IFLA_INFO_KIND + 1, info);
	netlink__string(device->kind, sizeof(device->kind), found[IFLA_INFO_KIND]);
}

static void read_xdp(struct device *device, const struct nlattr *xdp)
{
	const struct nlattr *found[IFLA_XDP_PROG_ID + 1];

	netlink__nested(found, IFLA_XDP_PROG_ID + 1, xdp);
	device->xdp.id = netlink__number(found[IFLA_XDP_PROG_ID]);
	device->xdp.native = netlink__number(found[IFLA_XDP_ATTACHED]) != XDP_ATTACHED_SKB;
}

static void read_link(struct device *device, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[IFLA_XDP + 1];

	netlink__attributes(found, IFLA_XDP + 1, message, sizeof(*header));
	*device = (struct device){
		.ifindex = header->ifi_index,
		.up = header->ifi_flags & IFF_UP,
		.loopback = header->ifi_flags & IFF_LOOPBACK,
		.bare = header->ifi_type != ARPHRD_ETHER && header->ifi_type != ARPHRD_LOOPBACK,
		.mtu = netlink__number(found[IFLA_MTU]),
		.queues = netlink__number(found[IFLA_NUM_RX_QUEUES]),
	};
	device->most_queues = device->queues;
	netlink__string(device->name, sizeof(device->name), found[IFLA_IFNAME]);
	if (!found[IFLA_LINK_NETNSID])
		device->lower = netlink__number(found[IFLA_LINK]);
	if (found[IFLA_ADDRESS] && mnl_attr_get_payload_len(found[IFLA_ADDRESS]) == sizeof(device->mac))
		memcpy(device->mac, mnl_attr_get_payload(found[IFLA_ADDRESS]), sizeof(device->mac));
	read_kind(device, found[IFLA_LINKINFO]);
	read_xdp(device, found[IFLA_XDP]);
}

static int add_device(const struct nlmsghdr *message, void *context)
{
	struct devices *devices = context;
	struct device *grown;

	if (message->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(message) < sizeof(struct ifinfomsg))
		return MNL_CB_OK;
	grown = realloc(devices->all, (devices->count + 1) * sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	devices->all = grown;
	read_link(&grown[devices->count++], message);
	return MNL_CB_OK;
}

static int read_family(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *found[CTRL_ATTR_FAMILY_ID + 1];

	netlink__attributes(found, CTRL_ATTR_FAMILY_ID + 1, message, sizeof(struct genlmsghdr));
	*(uint16_t *)context = netlink__number(found[CTRL_ATTR_FAMILY_ID]);
	return MNL_CB_OK;
}

static int read_xdp_features(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *found[NETDEV_ATTRIBUTES];
	struct devices *devices = context;
	uint64_t features;

	netlink__attributes(found, NETDEV_ATTRIBUTES, message, sizeof(struct genlmsghdr));
	features = netlink__number(found[NETDEV_XDP_FEATURES]);
	for (size_t i = 0; found[NETDEV_XDP_FEATURES] && i < devices->count; i++) {
		struct device *device = &devices->all[i];

		if (device->ifindex != netlink__number(found[NETDEV_IFINDEX]))
			continue;
		device->native = features & NETDEV_FEATURE_BASIC ? ANSWER_YES : ANSWER_NO;
		device->native_buffers = features & NETDEV_FEATURE_RX_SG;
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *genetlink_request(union netlink_request *request, uint16_t family, uint8_t command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(request->bytes);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = family;
	*header = (struct genlmsghdr){.cmd = command, .version = GENETLINK_VERSION};
	return message;
}

/* Where the kernel lacks the family, all stays unknown. */
static void ask_xdp_features(struct devices *devices)
{
	union netlink_request request;
	struct nlmsghdr *message = genetlink_request(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	uint16_t family = 0;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	if (netlink__ask(NETLINK_GENERIC, message, read_family, &family) || !family)
		return;
	message = genetlink_request(&request, family, NETDEV_GET);
	message->nlmsg_flags = NLM_F_DUMP;
	netlink__ask(NETLINK_GENERIC, message, read_xdp_features, devices);
}

static void name_program(struct device *device)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(device->xdp.id);

	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		snprintf(device->xdp.name, sizeof(device->xdp.name), "%.15s", info.name);
	close(fd);
}

/* An ifindex belongs to some namespace: the program's id shows whether it is this one. */
static void note_link(struct devices *devices, uint32_t id)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_link_get_fd_by_id(id);

	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_LINK_TYPE_XDP)
		info.prog_id = 0;
	for (size_t i = 0; info.prog_id && i < devices->count; i++)
		if (devices->all[i].ifindex == info.xdp.ifindex && devices->all[i].xdp.id == info.prog_id)
			devices->all[i].xdp.link = id;
	close(fd);
}

static void find_programs(struct devices *devices)
{
	bool any = false;
	uint32_t id = 0;

	for (size_t i = 0; i < devices->count; i++) {
		if (!devices->all[i].xdp.id)
			continue;
		name_program(&devices->all[i]);
		any = true;
	}
	while (any && bpf_link_get_next_id(id, &id) == 0)
		note_link(devices, id);
}

static int list_links(struct devices *devices)
{
	union netlink_request request;
	struct nlmsghdr *message;
	int err, tries = LIST_TRIES;

	do {
		devices->count = 0;
		message = mnl_nlmsg_put_header(request.bytes);
		message->nlmsg_type = RTM_GETLINK;
		message->nlmsg_flags = NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
		err = netlink__ask(NETLINK_ROUTE, message, add_device, devices);
	} while (err == -EINTR && --tries);
	return err;
}

int devices__list(struct devices *devices)
{
	int err = list_links(devices);

	if (err) {
		log_error("cannot list the interfaces: %s", strerror(-err));
		return -1;
	}
	ask_xdp_features(devices);
	find_programs(devices);
	return 0;
}

const struct device *devices__find(const struct devices *devices, unsigned ifindex)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->all[i].ifindex == ifindex)
			return &devices->all[i];
	return NULL;
}

const struct device *devices__vlan_on(const struct devices *devices, const struct device *device)
{
	for (size_t i = 0; i < devices->count; i++)
		if (!strcmp(devices->all[i].kind, "vlan") && devices->all[i].lower == device->ifindex)
			return &devices->all[i];
	return NULL;
}

enum vlan_tags devices__vlan_tags(const struct devices *devices, const struct device *device)
{
	const struct offload *offload = &device->offloads[OFFLOAD_VLAN];

	if (!devices__vlan_on(devices, device))
		return VLAN_TAGS_NONE;
	if (!strcmp(device->kind, "veth")) {
		const struct device *peer = devices__find(devices, device->lower);

		if (!peer)
			return VLAN_TAGS_UNKNOWN;
		offload = &peer->offloads[OFFLOAD_TX_VLAN];
	}
	/* What a bond says of itself has no effect on its ports, which run the program. */
	if (offload->on == ANSWER_UNKNOWN || !strcmp(device->kind, "bond"))
		return VLAN_TAGS_UNKNOWN;
	return offload->on == ANSWER_YES ? VLAN_TAGS_STRIPPED : VLAN_TAGS_IN_FRAME;
}

enum veth_peer devices__veth_peer(const struct devices *devices, const struct device *device)
{
	const struct device *peer = devices__find(devices, device->lower);

	if (strcmp(device->kind, "veth"))
		return VETH_PEER_NONE;
	if (!peer)
		return VETH_PEER_UNKNOWN;
	if (peer->xdp.id && peer->xdp.native)
		return VETH_PEER_READY;
	return peer->offloads[OFFLOAD_GRO].on == ANSWER_YES ? VETH_PEER_STALLS : VETH_PEER_BARE;
}

void devices__free(struct devices *devices)
{
	free(devices->all);
	*devices = (struct devices){};
}
