// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dump for each family; IPv4 on an IPv6 socket comes with those of IPv6, v4-mapped.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "system/connected.h"
#include "system/netlink.h"
#include "text/address.h"

struct visit {
	void (*found)(void *context, const struct addr *peer);
	void *context;
};

static int take(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	const struct visit *visit = context;
	struct addr peer;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*diag))
		return MNL_CB_OK;
	if (diag->idiag_family == AF_INET)
		peer = address__from_v4(diag->id.idiag_dst[0]);
	else
		memcpy(&peer, diag->id.idiag_dst, sizeof(peer));
	visit->found(visit->context, &peer);
	return MNL_CB_OK;
}

static int ask(uint8_t family, struct visit *visit)
{
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct inet_diag_req_v2 *established = mnl_nlmsg_put_extra_header(message, sizeof(*established));

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_DUMP;
	*established = (struct inet_diag_req_v2){
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1 << STATE_ESTABLISHED,
	};
	return netlink__ask(NETLINK_SOCK_DIAG, message, take, visit);
}

/* A request is reported as SYN_RECV, in which a socket is for microseconds only. */
static int count_state(const struct nlmsghdr *message, void *context)
{
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	uint64_t *states = context;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*diag))
		return MNL_CB_OK;
	if (diag->idiag_state < STATE_MAX)
		states[diag->idiag_state == STATE_SYN_RECV ? STATE_NEW_SYN_RECV : diag->idiag_state]++;
	return MNL_CB_OK;
}

static int ask_states(uint8_t family, uint16_t port, uint64_t states[STATE_MAX])
{
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct inet_diag_req_v2 *sockets = mnl_nlmsg_put_extra_header(message, sizeof(*sockets));

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_DUMP;
	*sockets = (struct inet_diag_req_v2){
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = (1 << STATE_MAX) - 1,
		.id.idiag_sport = htons(port),
	};
	return netlink__ask(NETLINK_SOCK_DIAG, message, count_state, states);
}

int connected__states(uint16_t port, uint64_t states[STATE_MAX])
{
	memset(states, 0, STATE_MAX * sizeof(*states));
	return ask_states(AF_INET, port, states) || ask_states(AF_INET6, port, states) ? -1 : 0;
}

int connected__each(void (*found)(void *context, const struct addr *peer), void *context)
{
	struct visit visit = {found, context};

	return ask(AF_INET, &visit) || ask(AF_INET6, &visit) ? -1 : 0;
}
