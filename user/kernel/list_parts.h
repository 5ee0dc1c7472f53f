/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lists.c and list_plan.c share.
 */
#ifndef SYNWARDEN_KERNEL_LIST_PARTS_H
#define SYNWARDEN_KERNEL_LIST_PARTS_H

#include "kernel/lists.h"

/* Says, by errno, why an entry could not be put on a list; returns -1. */
int lists__fail_put(const struct list_set *set, enum list list, const struct prefix *prefix);

#endif
