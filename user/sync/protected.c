// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gateways are those of all unicast routes: with several tables (policy routing, VRF), none can be said to be the one
 * in use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/cidr.h"
#include "sync/protected.h"
#include "system/local_net.h"
#include "system/netlink.h"
#include "text/address.h"
#include "text/log.h"

#define TRIES 5

/* RFC 6890 and its updates: no client of the Internet has such an address. */
static const char *const local_prefixes[] = {
	"0.0.0.0/8",	  "10.0.0.0/8",	 "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.168.0.0/16", "224.0.0.0/3", "::/127",	  "fc00::/7",	 "fe80::/10",	   "ff00::/8",
};

void protected__open(struct protected *protected)
{
	*protected = (struct protected){.watch = local_net__watch()};
}

bool protected__changed(struct protected *protected)
{
	return protected->watch >= 0 && local_net__changed(protected->watch);
}

/* All zero for an address of another length. */
static struct addr read_address(const struct nlattr *attribute)
{
	struct addr addr = {};
	uint32_t v4;

	if (mnl_attr_get_payload_len(attribute) == sizeof(v4)) {
		memcpy(&v4, mnl_attr_get_payload(attribute), sizeof(v4));
		addr = address__from_v4(v4);
	} else if (mnl_attr_get_payload_len(attribute) == sizeof(addr)) {
		memcpy(&addr, mnl_attr_get_payload(attribute), sizeof(addr));
	}
	return addr;
}

static int add_gateway(struct prefixes *found, const struct addr *addr)
{
	struct prefix prefix = {.prefixlen = 128};

	memcpy(prefix.words, addr->words, sizeof(prefix.words));
	/* A router has a million routes by a few gateways. */
	if (found->count && !memcmp(&found->all[found->count - 1], &prefix, sizeof(prefix)))
		return MNL_CB_OK;
	return prefixes__add(found, &prefix) ? MNL_CB_ERROR : MNL_CB_OK;
}

/* A route of several next hops has them in an attribute of its own, and an IPv4 route's IPv6 gateway in RTA_VIA. */
static int add_hops(struct prefixes *found, const struct nlattr *hops)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(hops);
	int left = mnl_attr_get_payload_len(hops), ret = MNL_CB_OK;

	for (; ret == MNL_CB_OK && RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		const struct nlattr *attribute = (const void *)RTNH_DATA(hop);
		int bytes = hop->rtnh_len - (int)sizeof(*hop);

		for (; mnl_attr_ok(attribute, bytes) && ret == MNL_CB_OK;
		     bytes -= MNL_ALIGN(attribute->nla_len), attribute = mnl_attr_next(attribute))
			if (mnl_attr_get_type(attribute) == RTA_GATEWAY) {
				struct addr addr = read_address(attribute);

				ret = add_gateway(found, &addr);
			}
	}
	return ret;
}

static int add_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[RTA_MULTIPATH + 1];
	struct prefixes *prefixes = context;

	if (message->nlmsg_type != RTM_NEWROUTE || header->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	netlink__attributes(found, RTA_MULTIPATH + 1, message, sizeof(*header));
	if (found[RTA_GATEWAY]) {
		struct addr addr = read_address(found[RTA_GATEWAY]);

		return add_gateway(prefixes, &addr);
	}
	return found[RTA_MULTIPATH] ? add_hops(prefixes, found[RTA_MULTIPATH]) : MNL_CB_OK;
}

static int read_gateways(struct prefixes *found, uint8_t family)
{
	const struct rtmsg routes = {.rtm_family = family, .rtm_type = RTN_UNICAST};
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_DUMP;
	memcpy(mnl_nlmsg_put_extra_header(message, sizeof(routes)), &routes, sizeof(routes));
	return netlink__ask(NETLINK_ROUTE, message, add_route, found);
}

static int read_own(struct prefixes *found)
{
	struct local_net net;
	int err = local_net__read(&net);

	for (size_t i = 0; i < net.prefix_count && !err; i++)
		err = prefixes__add(found, &net.prefixes[i]) ? -ENOMEM : 0;
	local_net__free(&net);
	return err;
}

static int read_all_gateways(struct prefixes *found)
{
	return read_gateways(found, AF_INET) ?: read_gateways(found, AF_INET6);
}

/* Into `known`, which stays as it was where the kernel does not tell. -EINTR: the tables changed while they were
 * listed; what was listed until then is added. */
static int read_into(struct prefixes *known, int (*read_them)(struct prefixes *found))
{
	struct prefixes found = {};
	int err = -EINTR;

	for (int tries = 0; tries < TRIES && err == -EINTR; tries++) {
		prefixes__free(&found);
		err = read_them(&found);
	}
	if (err) {
		prefixes__add_all(known, &found);
		prefixes__free(&found);
	} else {
		prefixes__free(known);
		*known = found;
	}
	prefixes__reduce(known, SIZE_MAX);
	return err;
}

static int add_local(struct prefixes *found)
{
	struct prefix prefix;
	const char *why;
	int err = 0;

	for (size_t i = 0; i < sizeof(local_prefixes) / sizeof(*local_prefixes) && !err; i++)
		err = parse_cidr(local_prefixes[i], &prefix, &why) ?: prefixes__add(found, &prefix);
	return err;
}

void protected__read(struct protected *protected, bool local, const struct prefixes *servers)
{
	struct prefixes found = {};
	int own = read_into(&protected->own, read_own), err = own ?: read_into(&protected->gateways, read_all_gateways);

	if (err && !protected->failed)
		log_warn(
			"this host's addresses or gateways cannot be listed, and those known before stay protected: %s",
			strerror(-err));
	protected->failed = err != 0;
	protected->is_known |= !own;
	if ((local && add_local(&found)) || prefixes__add_all(&found, servers) ||
	    prefixes__add_all(&found, &protected->own) || prefixes__add_all(&found, &protected->gateways)) {
		prefixes__free(&found);
		return; /* without memory, what was known stays */
	}
	prefixes__reduce(&found, SIZE_MAX);
	prefixes__free(&protected->all);
	protected->all = found;
}

/* Whether the first `bits` are the same. */
static bool is_same_start(const struct prefix *a, const struct prefix *b, unsigned bits)
{
	const uint8_t *left = (const void *)a->words, *right = (const void *)b->words;
	unsigned bytes = bits / 8, rest = bits % 8;

	return !memcmp(left, right, bytes) && (!rest || !((left[bytes] ^ right[bytes]) >> (8 - rest)));
}

bool protected__overlap(const struct protected *protected, const struct prefix *prefix)
{
	for (size_t i = 0; i < protected->all.count; i++) {
		const struct prefix *other = &protected->all.all[i];

		if (is_same_start(prefix, other,
				  prefix->prefixlen < other->prefixlen ? prefix->prefixlen : other->prefixlen))
			return true;
	}
	return false;
}

void protected__close(struct protected *protected)
{
	if (protected->watch >= 0)
		close(protected->watch);
	prefixes__free(&protected->all);
	prefixes__free(&protected->own);
	prefixes__free(&protected->gateways);
}
