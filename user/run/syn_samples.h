/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The samples that the kernel side takes of armed ports, kept as capture files beside the events.
 */
#ifndef SYNWARDEN_RUN_SYN_SAMPLES_H
#define SYNWARDEN_RUN_SYN_SAMPLES_H

#include "kernel/maps.h"
#include "system/state_folder.h"

#define SYN_SAMPLES_KEPT 32 /* files; of 14.5 KB at most */

/*
 * Writes what was sampled of the port in `slot`, for the event `id` that began at `started_ns` (CLOCK_MONOTONIC), and
 * removes the oldest file where there are too many. Nothing where another port has taken the sample, where it is of a
 * former arming, or where nothing is kept. Logs what fails.
 */
void syn_samples__keep(const struct maps *maps, const struct state_folder *folder, uint32_t slot, int64_t started_ns,
		       uint64_t id);

#endif
