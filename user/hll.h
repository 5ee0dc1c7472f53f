/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct sources of the armed ports: the registers that the kernel side fills, cleared ahead and merged here.
 */
#ifndef SYNWARDEN_HLL_H
#define SYNWARDEN_HLL_H

#include <stddef.h>
#include <stdint.h>

#include "maps.h"
#include "types.h"

/* One of HLL_POOL, mapped into memory while it is looked at: all its pages are resident then. NULL after a message. */
struct hll *hll__map(const struct maps *maps, size_t index);
void hll__unmap(struct hll *hll);
/* Makes the sets of the seconds to come ready; to be called at least once a second. now_ns is CLOCK_MONOTONIC. */
void hll__prepare(struct hll *hll, uint64_t now_ns);
/* Stops counting, so that the estimator can be given to another port. */
void hll__clear(struct hll *hll);
/* About how many distinct sources in the last ten seconds. */
uint64_t hll__estimate(const struct hll *hll, uint64_t now_ns);

/* The estimate that HLL_REGISTERS registers stand for. */
double hll__of_registers(const uint8_t registers[HLL_REGISTERS]);

#endif
