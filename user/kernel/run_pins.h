/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pins of the `run` of any network namespace, for what a command shows of them beside its own: nothing is created
 * or locked, and there need not be a `run`.
 */
#ifndef SYNWARDEN_KERNEL_RUN_PINS_H
#define SYNWARDEN_KERNEL_RUN_PINS_H

#include <stdint.h>

#include "types.h"

/* A pin of the namespace with this inode number, to be closed; -1 with errno, and no message. */
int run_pins__open(uint32_t netns, const char *name);
/* What that `run` told of itself; of another layout version, as much as fits. -1 with errno (ENOENT: there is none),
 * and no message. */
int run_pins__meta(uint32_t netns, struct meta *meta);
/* The sockets' records of HTTP, where that `run` counts it; -1, and no message, where none does. To be closed. */
int run_pins__http_conns(uint32_t netns);

#endif
