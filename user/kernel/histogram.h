/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to a histogram of durations that the kernel side has filled.
 */
#ifndef SYNWARDEN_KERNEL_HISTOGRAM_H
#define SYNWARDEN_KERNEL_HISTOGRAM_H

#include <stdint.h>

#include "types.h"

uint64_t histogram__count(const struct histogram *histogram);
/* The duration in ns below which the share q (0..1) lies: the upper edge of its slot; DURATION_UNKNOWN if empty. */
uint64_t histogram__quantile(const struct histogram *histogram, double q);

#endif
