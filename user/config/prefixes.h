/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing set of prefixes. All zero: it is empty. Functions return 0, or -1, and no message, without memory.
 */
#ifndef SYNWARDEN_CONFIG_PREFIXES_H
#define SYNWARDEN_CONFIG_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

struct prefixes {
	struct prefix *all;
	size_t count;
};

int prefixes__add(struct prefixes *prefixes, const struct prefix *prefix);
int prefixes__add_all(struct prefixes *prefixes, const struct prefixes *more);
/* The fewest prefixes that hold the addresses from `from` to `to`, both included, and no other. */
int prefixes__add_range(struct prefixes *prefixes, const struct addr *from, const struct addr *to);

/*
 * Leaves each address that is in the set in it, in fewer prefixes: none twice, and none within another one of its
 * family. Where more than `most` are left, neighbours are joined. The result is sorted.
 */
void prefixes__reduce(struct prefixes *prefixes, size_t most);

/* Whether a reduced set, or one of a single prefix, holds the address. */
bool prefixes__hold(const struct prefixes *prefixes, const struct addr *addr);

/* The prefix of `length` bits that holds `prefix`, which is not shorter. */
struct prefix prefixes__wider(const struct prefix *prefix, unsigned length);

void prefixes__free(struct prefixes *prefixes);

#endif
