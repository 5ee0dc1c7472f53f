// SPDX-License-Identifier: GPL-2.0-only
/*
 * A qdisc may hold no filter yet: it is there for one that comes.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/rtnetlink.h>

#include "kernel/ingress.h"
#include "system/netlink.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type, from Linux 6.6 */

struct looking {
	unsigned ifindex;
	bool found;
};

static int look_at(const struct nlmsghdr *message, void *context)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[TCA_KIND + 1];
	struct looking *looking = context;
	char kind[16];

	netlink__attributes(found, TCA_KIND + 1, message, sizeof(*header));
	netlink__string(kind, sizeof(kind), found[TCA_KIND]);
	looking->found |= (unsigned)header->tcm_ifindex == looking->ifindex &&
			  (!strcmp(kind, "clsact") || !strcmp(kind, "ingress"));
	return MNL_CB_OK;
}

static bool has_qdisc(unsigned ifindex)
{
	struct looking looking = {.ifindex = ifindex};
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct tcmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = RTM_GETQDISC;
	message->nlmsg_flags = NLM_F_DUMP;
	*header = (struct tcmsg){.tcm_family = AF_UNSPEC};
	return netlink__ask(NETLINK_ROUTE, message, look_at, &looking) || looking.found;
}

/* Kernels without TCX refuse the question. */
static bool has_tcx(unsigned ifindex)
{
	__u32 flags = 0, count = 0;

	if (bpf_prog_query(ifindex, TCX_INGRESS, 0, &flags, NULL, &count))
		return errno != EINVAL;
	return count;
}

bool ingress__has_filters(unsigned ifindex)
{
	return has_qdisc(ifindex) || has_tcx(ifindex);
}
