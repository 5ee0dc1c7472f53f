/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the kernel over netlink, and the attributes of what it answers. No message: whoever asks knows what it
 * means not to be told.
 */
#ifndef SYNWARDEN_NETLINK_H
#define SYNWARDEN_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#define NETLINK_BODY 128

struct netlink_request {
	struct nlmsghdr header;
	char body[NETLINK_BODY];
};

/* An empty request with `bytes` of `body` (the family's own header) behind netlink's. */
void netlink__request(struct netlink_request *request, uint16_t type, uint16_t flags, const void *body, size_t bytes);
void netlink__put(struct netlink_request *request, uint16_t type, const void *value, size_t bytes);

/* Asks on a socket of its own, and calls back for each message of the answer. 0, or a negative errno. */
int netlink__ask(int protocol, struct netlink_request *request,
		 void (*answer)(void *context, const struct nlmsghdr *message), void *context);

/* Sorts attributes by type: found[type], NULL where there is none or its type is not below `count`. */
void netlink__attributes(const struct nlattr *found[], size_t count, const void *data, size_t bytes);
const void *netlink__value(const struct nlattr *attribute);
size_t netlink__bytes(const struct nlattr *attribute);
/* As a number of up to 8 bytes; 0 for NULL. */
uint64_t netlink__number(const struct nlattr *attribute);
/* Copies a string, cut to `size`; "" for NULL. */
void netlink__string(char *buf, size_t size, const struct nlattr *attribute);

#endif
