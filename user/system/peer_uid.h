/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user at the other end of a TCP connection within this host.
 */
#ifndef SYNWARDEN_SYSTEM_PEER_UID_H
#define SYNWARDEN_SYSTEM_PEER_UID_H

#include <stdint.h>

#define PEER_UID_UNKNOWN UINT32_MAX

/* The owner of the peer's socket, as sock_diag reports it; PEER_UID_UNKNOWN where the peer is another host, or gone. */
uint32_t peer_uid__of(int fd);

#endif
