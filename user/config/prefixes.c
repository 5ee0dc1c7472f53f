// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sorted by family, address and length, a prefix comes before all that are within it.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/prefixes.h"

#define V4_BITS 96 /* ::ffff:0:0/96: a shorter prefix is one of IPv6 alone (bpf/lists.bpf.h) */

/* The memory doubles whenever the count is a power of two. */
int prefixes__add(struct prefixes *prefixes, const struct prefix *prefix)
{
	size_t count = prefixes->count;
	void *grown;

	if (!(count & (count - 1))) {
		grown = realloc(prefixes->all, (count ? 2 * count : 1) * sizeof(*prefix));
		if (!grown)
			return -1;
		prefixes->all = grown;
	}
	prefixes->all[prefixes->count++] = *prefix;
	return 0;
}

int prefixes__add_all(struct prefixes *prefixes, const struct prefixes *more)
{
	for (size_t i = 0; i < more->count; i++)
		if (prefixes__add(prefixes, &more->all[i]))
			return -1;
	return 0;
}

static __uint128_t number_of(const __u32 words[4])
{
	__uint128_t number = 0;

	for (int i = 0; i < 4; i++)
		number = number << 32 | ntohl(words[i]);
	return number;
}

static struct prefix prefix_of(__uint128_t number, unsigned length)
{
	struct prefix prefix = {.prefixlen = length};

	for (int i = 3; i >= 0; i--, number >>= 32)
		prefix.words[i] = htonl((uint32_t)number);
	return prefix;
}

/* The addresses of a prefix of `length` bits, less one. */
static __uint128_t span(unsigned length)
{
	return length ? ((__uint128_t)1 << (128 - length)) - 1 : ~(__uint128_t)0;
}

int prefixes__add_range(struct prefixes *prefixes, const struct addr *from, const struct addr *to)
{
	__uint128_t at = number_of(from->words), end = number_of(to->words);

	for (;;) {
		unsigned length = 128;
		struct prefix prefix;

		while (length && !(at & span(length - 1)) && at + span(length - 1) <= end)
			length--;
		prefix = prefix_of(at, length);
		if (prefixes__add(prefixes, &prefix))
			return -1;
		if (at + span(length) == end)
			return 0;
		at += span(length) + 1;
	}
}

static bool is_v4(const struct prefix *prefix)
{
	return prefix->prefixlen >= V4_BITS && !prefix->words[0] && !prefix->words[1] &&
	       prefix->words[2] == htonl(0xffff);
}

static int compare(const void *a, const void *b)
{
	const struct prefix *one = a, *other = b;
	int order = is_v4(one) - is_v4(other);

	if (!order)
		order = memcmp(one->words, other->words, sizeof(one->words));
	return order ?: (int)one->prefixlen - (int)other->prefixlen;
}

static bool holds(const struct prefix *wide, const struct prefix *narrow)
{
	return is_v4(wide) == is_v4(narrow) && wide->prefixlen <= narrow->prefixlen &&
	       !((number_of(wide->words) ^ number_of(narrow->words)) & ~span(wide->prefixlen));
}

/* Makes *first the prefix of which it is the first half and `second` the other; false where they are not. */
static bool join(struct prefix *first, const struct prefix *second)
{
	unsigned length = first->prefixlen;
	__uint128_t number = number_of(first->words);

	if (!length || second->prefixlen != length || is_v4(first) != is_v4(second) ||
	    (is_v4(first) && length == V4_BITS) || number & (span(length - 1) & ~span(length)) ||
	    number_of(second->words) != number + span(length) + 1)
		return false;
	*first = prefix_of(number, length - 1);
	return true;
}

static void join_neighbours(struct prefixes *prefixes)
{
	struct prefix *all = prefixes->all;
	size_t kept = 0;

	for (size_t i = 0; i < prefixes->count; i++) {
		all[kept++] = all[i];
		while (kept > 1 && join(&all[kept - 2], &all[kept - 1]))
			kept--;
	}
	prefixes->count = kept;
}

/* Only the last prefix that begins at the address or before may hold it. */
bool prefixes__hold(const struct prefixes *prefixes, const struct addr *addr)
{
	struct prefix whole = prefix_of(number_of(addr->words), 128);
	size_t low = 0, high = prefixes->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&prefixes->all[middle], &whole) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && holds(&prefixes->all[low - 1], &whole);
}

void prefixes__reduce(struct prefixes *prefixes, size_t most)
{
	struct prefix *all = prefixes->all;
	size_t kept = 0;

	if (!prefixes->count)
		return;
	qsort(all, prefixes->count, sizeof(*all), compare);
	for (size_t i = 0; i < prefixes->count; i++)
		if (!kept || !holds(&all[kept - 1], &all[i]))
			all[kept++] = all[i];
	prefixes->count = kept;
	if (kept > most)
		join_neighbours(prefixes);
}

struct prefix prefixes__wider(const struct prefix *prefix, unsigned length)
{
	return prefix_of(number_of(prefix->words) & ~span(length), length);
}

void prefixes__free(struct prefixes *prefixes)
{
	free(prefixes->all);
	*prefixes = (struct prefixes){};
}
