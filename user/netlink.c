// SPDX-License-Identifier: GPL-2.0-only
/*
 * One question, one socket: send, then read until the kernel says that this was all.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

#define ANSWER_BYTES (64 << 10) /* the kernel fills at most 32 KiB at once */

void netlink__request(struct netlink_request *request, uint16_t type, uint16_t flags, const void *body, size_t bytes)
{
	*request = (struct netlink_request){
		.header = {.nlmsg_len = NLMSG_LENGTH(bytes), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags},
	};
	memcpy(request->body, body, bytes);
}

void netlink__put(struct netlink_request *request, uint16_t type, const void *value, size_t bytes)
{
	struct nlattr header = {.nla_len = NLA_HDRLEN + bytes, .nla_type = type};
	char *at = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	memcpy(at, &header, sizeof(header));
	memcpy(at + NLA_HDRLEN, value, bytes);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + NLA_ALIGN(header.nla_len);
}

/* 1: there is more to come; 0: that was all; or a negative errno. */
static int take(const char *buffer, int bytes, void (*answer)(void *context, const struct nlmsghdr *message),
		void *context)
{
	const struct nlmsghdr *message = (const void *)buffer;

	/* NLMSG_NEXT() may take more than is left. */
	for (; bytes > 0 && NLMSG_OK(message, (unsigned)bytes); message = NLMSG_NEXT(message, bytes)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
		answer(context, message);
	}
	return 1;
}

int netlink__ask(int protocol, struct netlink_request *request,
		 void (*answer)(void *context, const struct nlmsghdr *message), void *context)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), ret = -ENOMEM;
	char *buffer = malloc(ANSWER_BYTES);
	ssize_t bytes;

	if (!buffer)
		goto cleanup;
	if (!(request->header.nlmsg_flags & NLM_F_DUMP))
		request->header.nlmsg_flags |= NLM_F_ACK;
	if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0) {
		ret = -errno;
		goto cleanup;
	}
	do {
		bytes = recv(fd, buffer, ANSWER_BYTES, MSG_TRUNC);
		if (bytes < 0)
			ret = -errno;
		else if (bytes > ANSWER_BYTES)
			ret = -EMSGSIZE;
		else
			ret = take(buffer, bytes, answer, context);
	} while (ret == 1 || ret == -EINTR);
cleanup:
	free(buffer);
	if (fd >= 0)
		close(fd);
	return ret;
}

void netlink__attributes(const struct nlattr *found[], size_t count, const void *data, size_t bytes)
{
	const struct nlattr *attribute = data;
	size_t type, step;

	memset(found, 0, count * sizeof(*found));
	while (bytes >= NLA_HDRLEN && attribute->nla_len >= NLA_HDRLEN && attribute->nla_len <= bytes) {
		type = attribute->nla_type & NLA_TYPE_MASK;
		if (type < count)
			found[type] = attribute;
		step = NLA_ALIGN(attribute->nla_len);
		if (step >= bytes)
			break;
		bytes -= step;
		attribute = (const void *)((const char *)attribute + step);
	}
}

const void *netlink__value(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

size_t netlink__bytes(const struct nlattr *attribute)
{
	return attribute->nla_len - NLA_HDRLEN;
}

uint64_t netlink__number(const struct nlattr *attribute)
{
	uint64_t u64 = 0;
	uint32_t u32 = 0;

	if (!attribute)
		return 0;
	switch (netlink__bytes(attribute)) {
	case sizeof(uint8_t):
		return *(const uint8_t *)netlink__value(attribute);
	case sizeof(u32):
		memcpy(&u32, netlink__value(attribute), sizeof(u32));
		return u32;
	case sizeof(uint16_t):
		return *(const uint16_t *)netlink__value(attribute);
	case sizeof(u64):
		memcpy(&u64, netlink__value(attribute), sizeof(u64)); /* aligned to 4 only */
		return u64;
	}
	return 0;
}

void netlink__string(char *buf, size_t size, const struct nlattr *attribute)
{
	size_t len = attribute ? netlink__bytes(attribute) : 0;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(buf, netlink__value(attribute), len);
	buf[len] = '\0';
}
