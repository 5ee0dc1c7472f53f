/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's TCP sockets of this network namespace, by sock_diag (linux/inet_diag.h). IPv4 on an IPv6 socket comes
 * with those of IPv6, v4-mapped.
 */
#ifndef SYNWARDEN_SYSTEM_TCP_SOCKETS_H
#define SYNWARDEN_SYSTEM_TCP_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/inet_diag.h>

#include "types.h"

/*
 * Hands each socket in one of `states` (bits, 1 << STATE_LISTEN), with this local port (host order; 0: any), to `each`,
 * until that returns false. The members of idiag_id are in network order. -1: not all were seen.
 */
int tcp_sockets__each(uint32_t states, uint16_t port, bool (*each)(void *context, const struct inet_diag_msg *socket),
		      void *context);

/* `words`: idiag_src or idiag_dst. */
struct addr tcp_sockets__address(const struct inet_diag_msg *socket, const uint32_t words[4]);

#endif
