/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses, prefixes and ranges of them, as operators and list publishers write them. The parsers return as those of
 * values.h.
 */
#ifndef SYNWARDEN_CONFIG_CIDR_H
#define SYNWARDEN_CONFIG_CIDR_H

#include <stdbool.h>
#include <stddef.h>

#include "config/prefixes.h"
#include "types.h"

/* The first `len` bytes of `text`: 4, 6, or 0 where they are no address. */
int cidr__address(const char *text, size_t len, struct addr *addr);

/*
 * "192.0.2.0/24", "192.0.2.0/255.255.255.0", "2001:db8::1". Bits set behind the prefix length are refused, with the
 * prefix that was meant.
 */
int parse_cidr(const char *text, struct prefix *prefix, const char **why);

/* The same, but bits behind the length are cleared, and *masked says whether there were any. */
int parse_masked_cidr(const char *text, struct prefix *prefix, bool *masked, const char **why);

/*
 * An entry of a list file: as above, but bits behind the length are cleared, and *masked is set then; or a range,
 * "192.0.2.1-192.0.2.9"; or a JSON object with a member "cidr". Adds the prefixes that cover it, none for a JSON object
 * of another kind.
 */
int parse_list_entry(const char *text, struct prefixes *prefixes, bool *masked, const char **why);

#endif
