/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the snapshot share.
 */
#ifndef SYNWARDEN_KERNEL_SNAPSHOT_PARTS_H
#define SYNWARDEN_KERNEL_SNAPSHOT_PARTS_H

#include "kernel/snapshot.h"

/* Once the ports have their views: which are served, and what protects them. 0, or -1 with errno. */
int snapshot__read_served(struct snapshot *snapshot, const struct maps *maps);

#endif
