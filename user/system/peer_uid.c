// SPDX-License-Identifier: GPL-2.0-only
/*
 * sock_diag knows a socket by its addresses and ports: those of the peer's are ours, exchanged.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "system/netlink.h"
#include "system/peer_uid.h"
#include "text/address.h"

struct end {
	struct addr addr;
	uint16_t port; /* network order */
};

static struct end end_of(const struct sockaddr_storage *name)
{
	const struct sockaddr_in *in4 = (const void *)name;
	const struct sockaddr_in6 *in6 = (const void *)name;
	struct end end = {.addr = address__from_sockaddr((const struct sockaddr *)name)};

	if (name->ss_family == AF_INET)
		end.port = in4->sin_port;
	else if (name->ss_family == AF_INET6)
		end.port = in6->sin6_port;
	return end;
}

static void put_address(__be32 words[4], const struct addr *addr)
{
	if (print_is_v4(addr))
		words[0] = addr->words[3];
	else
		memcpy(words, addr, sizeof(*addr));
}

static int read_uid(const struct nlmsghdr *message, void *uid)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(*socket))
		*(uint32_t *)uid = socket->idiag_uid;
	return MNL_CB_OK;
}

static uint32_t ask(const struct end *here, const struct end *peer)
{
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct inet_diag_req_v2 *question = mnl_nlmsg_put_extra_header(message, sizeof(*question));
	uint32_t uid = PEER_UID_UNKNOWN;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	*question = (struct inet_diag_req_v2){
		.sdiag_family = print_is_v4(&peer->addr) ? AF_INET : AF_INET6,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = UINT32_MAX,
		.id = {.idiag_sport = peer->port,
		       .idiag_dport = here->port,
		       .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	put_address(question->id.idiag_src, &peer->addr);
	put_address(question->id.idiag_dst, &here->addr);
	netlink__ask(NETLINK_SOCK_DIAG, message, read_uid, &uid);
	return uid;
}

uint32_t peer_uid__of(int fd)
{
	struct sockaddr_storage here_name = {}, peer_name = {};
	socklen_t here_size = sizeof(here_name), peer_size = sizeof(peer_name);
	struct end here, peer;

	if (getsockname(fd, (void *)&here_name, &here_size) || getpeername(fd, (void *)&peer_name, &peer_size))
		return PEER_UID_UNKNOWN;
	here = end_of(&here_name);
	peer = end_of(&peer_name);
	if (!print_is_loopback(&peer.addr) && memcmp(&here.addr, &peer.addr, sizeof(here.addr)))
		return PEER_UID_UNKNOWN;
	return ask(&here, &peer);
}
