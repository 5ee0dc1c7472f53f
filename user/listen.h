/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The listening socket of the HTTP endpoint.
 */
#ifndef SYNWARDEN_LISTEN_H
#define SYNWARDEN_LISTEN_H

#include "options.h"

/* A socket that listens there; -1 after a message. */
int listen__open(const struct listen_at *at, int backlog);

#endif
