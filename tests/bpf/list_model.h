/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lists of random prefixes say of an address, without any filter, hash or trie. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_LIST_MODEL_H
#define SYNWARDEN_TESTS_LIST_MODEL_H

#include "lib/filter_program.h"
#include "lib/list_passes.h"

#define PREFIXES 600

static uint32_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 32;
}

/* Few distinct bits, so that prefixes lie within and beside each other. Of IPv4 where `addr` is. */
static struct addr some_address(bool v4)
{
	struct addr addr = {};
	uint32_t few = next_random();

	if (v4) {
		addr.words[2] = htonl(0xffff);
		addr.words[3] = htonl(0xc0000001 | (few & 0x1f0303f0));
		return addr;
	}
	addr.words[0] = htonl(0x20010000 | (few & 0x00ff0303));
	addr.words[1] = htonl(next_random() & 0x00030003);
	addr.words[3] = htonl(1 | (few >> 28));
	return addr;
}

static struct prefix some_prefix(void)
{
	bool v4 = next_random() & 1;
	struct addr addr = some_address(v4);
	struct prefix prefix = {128, {}};
	unsigned shortest = v4 ? 96 : 1;

	memcpy(prefix.words, addr.words, sizeof(prefix.words));
	if (next_random() % 3)
		return prefix;
	return prefixes__wider(&prefix, shortest + next_random() % (129 - shortest));
}

static bool is_v4(const struct addr *addr)
{
	return !addr->words[0] && !addr->words[1] && addr->words[2] == htonl(0xffff);
}

static bool covers(const struct prefix *prefix, const struct addr *addr)
{
	struct prefix whole = {128, {}};
	struct prefix wide;

	memcpy(whole.words, addr->words, sizeof(whole.words));
	wide = prefixes__wider(&whole, prefix->prefixlen);
	return !memcmp(&wide, prefix, sizeof(wide)) && (prefix->prefixlen >= 96 || !is_v4(addr));
}

/* What is on which list. */
static struct model {
	struct prefix prefix;
	enum list list;
	bool on;
} model[PREFIXES];

static enum reason expected(const struct addr *addr)
{
	enum reason reason = REASON_SYN;

	for (int i = 0; i < PREFIXES; i++)
		if (model[i].on && covers(&model[i].prefix, addr)) {
			if (model[i].list == LIST_ALLOW)
				return REASON_ALLOWED;
			reason = REASON_BLOCKED;
		}
	return reason;
}

static bool is_known(const struct prefix *prefix, enum list list, int count)
{
	for (int i = 0; i < count; i++)
		if (model[i].list == list && !memcmp(&model[i].prefix, prefix, sizeof(*prefix)))
			return true;
	return false;
}

static void make_model(void)
{
	for (int i = 0; i < PREFIXES; i++)
		do {
			model[i].prefix = some_prefix();
			model[i].list = next_random() % 4 == 0 ? LIST_ALLOW : LIST_BLOCK;
		} while (is_known(&model[i].prefix, model[i].list, i));
}

#endif
