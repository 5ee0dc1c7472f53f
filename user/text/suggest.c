// SPDX-License-Identifier: GPL-2.0-only
/*
 * Optimal string alignment: letters added, left out, replaced, or swapped with their neighbour.
 */
#include <stdio.h>
#include <string.h>

#include "text/suggest.h"

#define LONGEST 32 /* names and what is typed; longer ones are close to nothing */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[LONGEST + 1][LONGEST + 1];

	for (size_t i = 0; i <= a_len; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++)
		for (size_t j = 1; j <= b_len; j++) {
			unsigned replaced = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			rows[i][j] = least(replaced, least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	return rows[a_len][b_len];
}

/* A name of which only the beginning was typed is as close as one with one wrong letter. Otherwise a letter in three
 * may be wrong. */
void suggest__consider(struct suggestion *s, const char *name)
{
	size_t len = strlen(name);
	unsigned far;

	if (s->len < 2 || s->len > LONGEST || len > LONGEST)
		return;
	far = len > s->len && !strncmp(name, s->typed, s->len) ? 1 : distance(s->typed, s->len, name, len);
	if (far * 3 > s->len && far > 1)
		return;
	if (s->name && s->distance <= far)
		return;
	s->name = name;
	s->distance = far;
}

const char *suggest__text(char buf[SUGGEST_LEN], const struct suggestion *s, const char *prefix)
{
	*buf = '\0';
	if (s->name)
		snprintf(buf, SUGGEST_LEN, ": did you mean %s%s?", prefix, s->name);
	return buf;
}
