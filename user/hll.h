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

struct hlls;

/* Maps the registers into memory. -1 after a message. */
int hll__open(struct hlls **hlls, const struct maps *maps);
/* Makes the sets of the seconds to come ready; to be called at least once a second. now_ns is CLOCK_MONOTONIC. */
void hll__prepare(struct hlls *hlls, size_t index, uint64_t now_ns);
/* Stops counting, so that the estimator can be given to another port. */
void hll__clear(struct hlls *hlls, size_t index);
/* About how many distinct sources in the last ten seconds. */
uint64_t hll__estimate(const struct hlls *hlls, size_t index, uint64_t now_ns);
void hll__close(struct hlls *hlls);

/* The estimate that HLL_REGISTERS registers stand for. */
double hll__of_registers(const uint8_t registers[HLL_REGISTERS]);

#endif
