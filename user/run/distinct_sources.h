/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct sources of the armed ports: the registers that the kernel side fills, cleared ahead and merged here.
 */
#ifndef SYNWARDEN_RUN_DISTINCT_SOURCES_H
#define SYNWARDEN_RUN_DISTINCT_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/maps.h"
#include "types.h"

/* Maps one of HLL_POOL into memory: all its pages are resident until it is unmapped. NULL after a message. */
struct hll *distinct_sources__map(const struct maps *maps, size_t index);
void distinct_sources__unmap(struct hll *hll);
/* Clears the sets of the coming seconds; to be called at least once a second. now_ns is CLOCK_MONOTONIC. */
void distinct_sources__prepare(struct hll *hll, uint64_t now_ns);
/* Stops counting, so that the estimator can be given to another port. */
void distinct_sources__clear(struct hll *hll);
/* Estimate of the distinct sources in the last ten seconds. */
uint64_t distinct_sources__estimate(const struct hll *hll, uint64_t now_ns);
/* Adds what was counted since about two seconds ago to `registers`: called once a second, they hold all sources. */
void distinct_sources__merge(uint8_t registers[HLL_REGISTERS], const struct hll *hll, uint64_t now_ns);

/* The estimate from HLL_REGISTERS registers. */
double distinct_sources__of_registers(const uint8_t registers[HLL_REGISTERS]);

#endif
