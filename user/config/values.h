/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsers of one value. They return 0, or -1 with `*why` set to what is valid, a noun phrase for a message of the form
 * "abc" is not *why; it stays until the thread's next call. Nothing is stored where they return -1.
 */
#ifndef SYNWARDEN_CONFIG_VALUES_H
#define SYNWARDEN_CONFIG_VALUES_H

#include <stdint.h>

#include "system/cgroups.h"
#include "text/address.h"
#include "types.h"

/* "90", "90s", "10m", "1h30m", "3h59m48.1s", "1w": units in falling order; up to nine decimals. */
int parse_duration(const char *text, uint64_t *ns, const char **why);
/* Decimal, within min..max. */
int parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *number, const char **why);
/* The index into `choices`, "a|b|c". */
int parse_choice(const char *text, const char *choices, uint32_t *choice, const char **why);
/* enum state by name, in any case, or by that which ss prints or takes (ESTAB, time-wait, fin-wait-1). */
int parse_state(const char *text, uint32_t *state, const char **why);
/* "192.0.2.1:80", "[2001:db8::1]:80", "off". The unused bytes of *at are zero. */
int parse_listen(const char *text, struct listen_at *at, const char **why);
/* "NAME[,...]"; *hosts points to `text`. */
int parse_hosts(const char *text, const char **hosts, const char **why);
/* An interface's name, as the kernel takes it and a configuration file can hold it. */
int parse_interface(const char *text, const char **why);
/* A process's name; *comm points to `text`. */
int parse_comm(const char *text, const char **comm, const char **why);
int parse_cgroup(const char *text, struct cgroup_path *path, const char **why);
/* The inode number of a network namespace that is named, or given by path or number. */
int parse_netns(const char *text, uint32_t *inode, const char **why);
/* "443", "192.0.2.1:443", "[2001:db8::1]:443" */
int parse_served(const char *text, struct served *served, const char **why);
/* Several of them, or "auto", with commas; `each`, where not NULL, is called for each but "auto", and -1 of it ends the
 * list with -1. */
int parse_served_list(const char *text, int (*each)(void *context, const struct served *served), void *context,
		      const char **why);
bool parse_served_has_auto(const char *text);

#endif
