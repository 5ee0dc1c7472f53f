/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the callers of libmnl share: one request on a socket of its own, and attributes sorted by type. It includes
 * nothing of the project, and logs nothing: the caller knows what a missing answer means.
 */
#ifndef SYNWARDEN_SYSTEM_NETLINK_H
#define SYNWARDEN_SYSTEM_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NETLINK_REQUEST_BYTES 256

/* A request begins with mnl_nlmsg_put_header(request.bytes). */
union netlink_request {
	struct nlmsghdr header;
	char bytes[NETLINK_REQUEST_BYTES];
};

/*
 * Sends the request to a protocol (NETLINK_ROUTE, ...) and hands each message of the answer to `answer`. 0, or a
 * negative errno; -EINTR: the tables changed while they were listed, ask again.
 */
int netlink__ask(int protocol, struct nlmsghdr *request, mnl_cb_t answer, void *context);

/* found[type] for all types below `count`; NULL where there is none. `header` is the length of the family's own header.
 */
void netlink__attributes(const struct nlattr *found[], uint16_t count, const struct nlmsghdr *message, size_t header);
/* The same for those within an attribute; none for NULL. */
void netlink__nested(const struct nlattr *found[], uint16_t count, const struct nlattr *attribute);

/* An unsigned number of 1, 2, 4 or 8 bytes, host order; 0 for NULL. */
uint64_t netlink__number(const struct nlattr *attribute);
/* Copies a string, cut to `size`; "" for NULL. */
void netlink__string(char *buf, size_t size, const struct nlattr *attribute);

#endif
