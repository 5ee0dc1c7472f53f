// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of fixed size: however many scenarios a hostile LAPI invents, they take no more memory.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sync/notes.h"
#include "text/clean.h"

#define FNV_BASIS 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL
#define SLOTS	  (2 * NOTES_MAX)

void notes__clear(struct notes *notes)
{
	*notes = (struct notes){.count = 1, .all[0].rank = UINT32_MAX};
}

static uint64_t hash(const struct fleet_origin *text)
{
	const unsigned char *at = (const void *)text;
	uint64_t sum = FNV_BASIS;

	for (size_t i = 0; i < sizeof(*text); i++)
		sum = (sum ^ at[i]) * FNV_PRIME;
	return sum;
}

static void copy_clean(char *buf, size_t size, const char *text)
{
	snprintf(buf, size, "%s", text);
	print_clean(buf);
}

uint32_t notes__number(struct notes *notes, const char *source, const char *origin, const char *scenario, uint32_t rank)
{
	struct fleet_origin text = {};
	size_t slot;

	copy_clean(text.source, sizeof(text.source), source);
	copy_clean(text.origin, sizeof(text.origin), origin);
	copy_clean(text.scenario, sizeof(text.scenario), scenario);
	for (slot = hash(&text) % SLOTS; notes->hashed[slot]; slot = (slot + 1) % SLOTS)
		if (!memcmp(&notes->all[notes->hashed[slot]].text, &text, sizeof(text)))
			return notes->hashed[slot];
	if (notes->count == NOTES_MAX)
		return 0;
	notes->hashed[slot] = notes->count;
	notes->all[notes->count] = (struct note){.text = text, .rank = rank};
	return notes->count++;
}
