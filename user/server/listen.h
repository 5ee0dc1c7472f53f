/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listening socket of the HTTP endpoint.
 */
#ifndef SYNWARDEN_SERVER_LISTEN_H
#define SYNWARDEN_SERVER_LISTEN_H

#include "text/address.h"

/* A socket that listens there: the one that systemd holds for it (sd_listen_fds(3)), or a new one. -1 with *why set. */
int listen__open(const struct listen_at *at, int backlog, const char **why);

#endif
