/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `--protect auto`: each port with a listener counts as served on every address of this host, unless something may
 * translate it. What cannot be told counts as translated.
 */
#ifndef SYNWARDEN_RUN_AUTO_PROTECT_H
#define SYNWARDEN_RUN_AUTO_PROTECT_H

#include "config/settings.h"
#include "kernel/maps.h"

struct auto_protect;

/* NULL: no memory, after a message. */
struct auto_protect *auto_protect__open(const struct maps *maps);
/* Takes over the settings: what is named counts as named, and without "auto" nothing else is served. */
void auto_protect__set(struct auto_protect *protect, const struct run_options *options);
/* Once a second; `meta` names the filtered interfaces. Returns what is to be told of it, of enum meta_flag. */
uint32_t auto_protect__follow(struct auto_protect *protect, const struct meta *meta);
void auto_protect__close(struct auto_protect *protect);

#endif
