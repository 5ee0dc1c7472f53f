/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may change a packet between XDP and the stack: filters of TC.
 */
#ifndef SYNWARDEN_KERNEL_INGRESS_H
#define SYNWARDEN_KERNEL_INGRESS_H

#include <stdbool.h>

/* Whether a qdisc for what comes in (clsact, ingress), or a program of TCX, is on the interface. True where it cannot
 * be told. */
bool ingress__has_filters(unsigned ifindex);

#endif
