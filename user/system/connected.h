/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP connections of this network namespace, by sock_diag.
 */
#ifndef SYNWARDEN_SYSTEM_CONNECTED_H
#define SYNWARDEN_SYSTEM_CONNECTED_H

#include <stdint.h>

#include "types.h"

/* Calls back with the peer's address of each, IPv4 as v4-mapped. 0, or -1, and no message, where the kernel does not
 * tell them, or some of them twice or not, as they changed meanwhile. */
int connected__each(void (*found)(void *context, const struct addr *peer), void *context);

/* Counts the sockets whose local port it is, by state; half-open ones are in NEW_SYN_RECV. The port is in host order.
 * The same result. */
int connected__states(uint16_t port, uint64_t states[STATE_MAX]);

#endif
