// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket for each request: nothing of an earlier answer can be left in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "system/netlink.h"

#define ANSWER_BYTES (64 << 10) /* the kernel fills at most 32 KiB at once */

static int receive(struct mnl_socket *socket, const struct nlmsghdr *request, mnl_cb_t answer, void *context)
{
	unsigned port = mnl_socket_get_portid(socket);
	char *buffer = malloc(ANSWER_BYTES);
	ssize_t bytes;
	int ret = MNL_CB_OK;

	if (!buffer)
		return -ENOMEM;
	while (ret > MNL_CB_STOP) {
		bytes = mnl_socket_recvfrom(socket, buffer, ANSWER_BYTES);
		ret = bytes < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, bytes, request->nlmsg_seq, port, answer, context);
	}
	ret = ret < 0 ? -errno : 0;
	free(buffer);
	return ret;
}

int netlink__ask(int protocol, struct nlmsghdr *request, mnl_cb_t answer, void *context)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	int ret;

	if (!socket)
		return -errno;
	request->nlmsg_flags |= request->nlmsg_flags & NLM_F_DUMP ? NLM_F_REQUEST : NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = 1;
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &(int){1},
			      sizeof(int)); /* else dumps are of everything */
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		ret = -errno;
	else
		ret = receive(socket, request, answer, context);
	mnl_socket_close(socket);
	return ret;
}

struct table {
	const struct nlattr **found;
	uint16_t count;
};

static int sort(const struct nlattr *attribute, void *context)
{
	const struct table *table = context;

	if (mnl_attr_get_type(attribute) < table->count)
		table->found[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

void netlink__attributes(const struct nlattr *found[], uint16_t count, const struct nlmsghdr *message, size_t header)
{
	struct table table = {found, count};

	memset(found, 0, count * sizeof(*found));
	mnl_attr_parse(message, header, sort, &table);
}

void netlink__nested(const struct nlattr *found[], uint16_t count, const struct nlattr *attribute)
{
	struct table table = {found, count};

	memset(found, 0, count * sizeof(*found));
	if (attribute)
		mnl_attr_parse_nested(attribute, sort, &table);
}

uint64_t netlink__number(const struct nlattr *attribute)
{
	switch (attribute ? mnl_attr_get_payload_len(attribute) : 0) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attribute);
	case sizeof(uint16_t):
		return mnl_attr_get_u16(attribute);
	case sizeof(uint32_t):
		return mnl_attr_get_u32(attribute);
	case sizeof(uint64_t):
		return mnl_attr_get_u64(attribute);
	default:
		return 0;
	}
}

void netlink__string(char *buf, size_t size, const struct nlattr *attribute)
{
	size_t len = attribute ? mnl_attr_get_payload_len(attribute) : 0;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(buf, mnl_attr_get_payload(attribute), len);
	buf[len] = '\0';
}
