/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of `run` -> rodata that is frozen when the object is loaded, and maps that are filled before the first
 * packet. Functions return 0, or -1 after a message.
 */
#ifndef SYNWARDEN_KERNEL_LOAD_CONFIG_H
#define SYNWARDEN_KERNEL_LOAD_CONFIG_H

#include "config/run_options.h"
#include "types.h"

/* Fills in all that depends on the options; the rest of *config is zero. */
int load_config__make(struct config *config, const struct run_options *options);

/* The sizes of the lists; of a reload, those of the maps that there are. `fleet` 0: there are no lists of a fleet. */
void load_config__lists(struct config *config, uint32_t own, uint32_t fleet);

/* Whether the kernel is PREEMPT_RT, by its version line (uname -v): /sys, which shows it too, may be hidden. */
bool load_config__is_realtime(const char *version);

/* Writes the rules of the ports that have one of their own into the empty map `port_rules`, and freezes it. */
int load_config__rules(const struct config *config, const struct run_options *options, int map);

/* Writes the budgets of strays of all ports into the map `strays`, which may be in use. */
int load_config__strays(const struct config *config, const struct run_options *options, int map);

/* Entries that were added to the served set, and were not in it before. */
struct newly_served {
	struct served *all; /* free() it */
	size_t count;
};

/* Adds each of "[ADDR:]PORT[,...]" to the served set; NULL: nothing. Where one fails, none is added. */
int load_config__protect(const char *list, int map);
int load_config__protect_more(const char *list, int map, struct newly_served *added);
void load_config__unprotect(int map, const struct newly_served *added);

#endif
