/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells the filter what the packet filter's rules may hand to others: that is no stray. Before a port is armed, too, so
 * that nothing of theirs arms one.
 */
#ifndef SYNWARDEN_RUN_FORWARDS_H
#define SYNWARDEN_RUN_FORWARDS_H

#include "kernel/maps.h"
#include "types.h"

struct forwarding;

/* NULL: no memory, after a message. */
struct forwarding *forwards__open(const struct maps *maps);
/* Before the filter is attached, once a second, and at once when a port is armed; `meta` names the filtered interfaces.
 * What fails is logged: the filter then takes more for forwarded than is. */
void forwards__follow(struct forwarding *forwarding, const struct meta *meta);
void forwards__close(struct forwarding *forwarding);

#endif
