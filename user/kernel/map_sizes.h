/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large the maps are whose size the configuration decides, before they are made.
 */
#ifndef SYNWARDEN_KERNEL_MAP_SIZES_H
#define SYNWARDEN_KERNEL_MAP_SIZES_H

#include <bpf/libbpf.h>

#include "types.h"

/* What the configuration has none of stays as small as can be: a tracker's lists, those of a fleet. -1 with errno. */
int map_sizes__set(struct bpf_object *object, const struct config *config);

#endif
