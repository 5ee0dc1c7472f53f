// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces of this network namespace: rtnetlink's list with what XDP program is on each, and the netdev family's
 * word on what the driver takes.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "log.h"
#include "netlink.h"
#include "scene.h"

/* <linux/netdev.h>, which came with 6.3: younger than the headers that this must build with. */
#define NETDEV_FAMILY	     "netdev"
#define NETDEV_VERSION	     1
#define NETDEV_GET	     1
#define NETDEV_IFINDEX	     1
#define NETDEV_XDP_FEATURES  3
#define NETDEV_ATTRIBUTES    4
#define NETDEV_FEATURE_BASIC (1 << 0)
#define NETDEV_FEATURE_RX_SG (1 << 5)

static void read_kind(struct device *device, const struct nlattr *info)
{
	const struct nlattr *found[IFLA_INFO_KIND + 1];

	if (!info)
		return;
	netlink__attributes(found, IFLA_INFO_KIND + 1, netlink__value(info), netlink__bytes(info));
	netlink__string(device->kind, sizeof(device->kind), found[IFLA_INFO_KIND]);
}

static void read_xdp(struct device *device, const struct nlattr *xdp)
{
	const struct nlattr *found[IFLA_XDP_PROG_ID + 1];

	if (!xdp)
		return;
	netlink__attributes(found, IFLA_XDP_PROG_ID + 1, netlink__value(xdp), netlink__bytes(xdp));
	device->xdp.id = netlink__number(found[IFLA_XDP_PROG_ID]);
	device->xdp.native = netlink__number(found[IFLA_XDP_ATTACHED]) != XDP_ATTACHED_SKB;
}

static void read_link(struct device *device, const struct ifinfomsg *header, size_t bytes)
{
	const struct nlattr *found[IFLA_XDP + 1];

	netlink__attributes(found, IFLA_XDP + 1, (const char *)header + NLMSG_ALIGN(sizeof(*header)),
			    bytes - NLMSG_ALIGN(sizeof(*header)));
	*device = (struct device){
		.ifindex = header->ifi_index,
		.up = header->ifi_flags & IFF_UP,
		.loopback = header->ifi_flags & IFF_LOOPBACK,
		.mtu = netlink__number(found[IFLA_MTU]),
		.queues = netlink__number(found[IFLA_NUM_RX_QUEUES]),
		.rp_filter = SETTING_UNKNOWN,
	};
	device->most_queues = device->queues;
	netlink__string(device->name, sizeof(device->name), found[IFLA_IFNAME]);
	if (!found[IFLA_LINK_NETNSID])
		device->lower = netlink__number(found[IFLA_LINK]);
	if (found[IFLA_ADDRESS] && netlink__bytes(found[IFLA_ADDRESS]) == sizeof(device->mac))
		memcpy(device->mac, netlink__value(found[IFLA_ADDRESS]), sizeof(device->mac));
	read_kind(device, found[IFLA_LINKINFO]);
	read_xdp(device, found[IFLA_XDP]);
}

static void add_device(void *context, const struct nlmsghdr *message)
{
	struct scene *scene = context;
	struct device *grown;

	if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return;
	grown = realloc(scene->devices, (scene->device_count + 1) * sizeof(*grown));
	if (!grown)
		return;
	scene->devices = grown;
	read_link(&grown[scene->device_count++], NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0));
}

/* The attributes behind a generic netlink header. */
static void genetlink_attributes(const struct nlattr *found[], size_t count, const struct nlmsghdr *message)
{
	netlink__attributes(found, count, (const char *)NLMSG_DATA(message) + GENL_HDRLEN,
			    NLMSG_PAYLOAD(message, GENL_HDRLEN));
}

static void read_family(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *found[CTRL_ATTR_FAMILY_ID + 1];

	genetlink_attributes(found, CTRL_ATTR_FAMILY_ID + 1, message);
	*(uint16_t *)context = netlink__number(found[CTRL_ATTR_FAMILY_ID]);
}

static void read_xdp_features(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *found[NETDEV_ATTRIBUTES];
	struct scene *scene = context;
	uint64_t features;

	genetlink_attributes(found, NETDEV_ATTRIBUTES, message);
	features = netlink__number(found[NETDEV_XDP_FEATURES]);
	for (size_t i = 0; found[NETDEV_XDP_FEATURES] && i < scene->device_count; i++) {
		struct device *device = &scene->devices[i];

		if (device->ifindex != netlink__number(found[NETDEV_IFINDEX]))
			continue;
		device->native = features & NETDEV_FEATURE_BASIC ? ANSWER_YES : ANSWER_NO;
		device->native_buffers = features & NETDEV_FEATURE_RX_SG;
	}
}

/* Where the kernel does not have the family, all stays unknown. */
static void ask_xdp_features(struct scene *scene)
{
	struct genlmsghdr find = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct genlmsghdr get = {.cmd = NETDEV_GET, .version = NETDEV_VERSION};
	struct netlink_request request;
	uint16_t family = 0;

	netlink__request(&request, GENL_ID_CTRL, 0, &find, sizeof(find));
	netlink__put(&request, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY, sizeof(NETDEV_FAMILY));
	if (netlink__ask(NETLINK_GENERIC, &request, read_family, &family) || !family)
		return;
	netlink__request(&request, family, NLM_F_DUMP, &get, sizeof(get));
	netlink__ask(NETLINK_GENERIC, &request, read_xdp_features, scene);
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

/* Interface numbers are those of some namespace: the program tells whether it is this one. */
static void note_link(struct scene *scene, uint32_t id)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_link_get_fd_by_id(id);

	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_LINK_TYPE_XDP)
		info.prog_id = 0;
	for (size_t i = 0; info.prog_id && i < scene->device_count; i++)
		if (scene->devices[i].ifindex == info.xdp.ifindex && scene->devices[i].xdp.id == info.prog_id)
			scene->devices[i].xdp.link = id;
	close(fd);
}

static void find_programs(struct scene *scene)
{
	bool any = false;
	uint32_t id = 0;

	for (size_t i = 0; i < scene->device_count; i++) {
		if (!scene->devices[i].xdp.id)
			continue;
		name_program(&scene->devices[i]);
		any = true;
	}
	while (any && bpf_link_get_next_id(id, &id) == 0)
		note_link(scene, id);
}

int scene__find_devices(struct scene *scene)
{
	struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	int err;

	netlink__request(&request, RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
	err = netlink__ask(NETLINK_ROUTE, &request, add_device, scene);
	if (err) {
		log_error("doctor: cannot list the interfaces: %s", strerror(-err));
		return -1;
	}
	ask_xdp_features(scene);
	find_programs(scene);
	return 0;
}
