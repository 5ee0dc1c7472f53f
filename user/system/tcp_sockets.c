// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dump for each family.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/sock_diag.h>

#include "system/netlink.h"
#include "system/tcp_sockets.h"
#include "text/address.h"

struct visit {
	bool (*each)(void *context, const struct inet_diag_msg *socket);
	void *context;
};

static int take(const struct nlmsghdr *message, void *context)
{
	const struct visit *visit = context;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct inet_diag_msg))
		return MNL_CB_OK;
	return visit->each(visit->context, mnl_nlmsg_get_payload(message)) ? MNL_CB_OK : MNL_CB_ERROR;
}

static int ask(uint8_t family, uint32_t states, uint16_t port, struct visit *visit)
{
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct inet_diag_req_v2 *sockets = mnl_nlmsg_put_extra_header(message, sizeof(*sockets));

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_DUMP;
	*sockets = (struct inet_diag_req_v2){
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = states,
		.id.idiag_sport = htons(port),
	};
	return netlink__ask(NETLINK_SOCK_DIAG, message, take, visit);
}

int tcp_sockets__each(uint32_t states, uint16_t port, bool (*each)(void *context, const struct inet_diag_msg *socket),
		      void *context)
{
	struct visit visit = {each, context};
	int v4 = ask(AF_INET, states, port, &visit), v6 = ask(AF_INET6, states, port, &visit);

	return v4 || v6 ? -1 : 0;
}

struct addr tcp_sockets__address(const struct inet_diag_msg *socket, const uint32_t words[4])
{
	struct addr addr;

	if (socket->idiag_family == AF_INET)
		return address__from_v4(words[0]);
	memcpy(&addr, words, sizeof(addr));
	return addr;
}
