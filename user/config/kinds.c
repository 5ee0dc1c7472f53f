// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of values as a table: size of the field, and parser.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/cidr.h"
#include "config/kinds.h"
#include "config/values.h"
#include "config/when.h"
#include "system/clock.h"

struct kind {
	size_t size;
	bool is_text;
	bool adds_up;
	int (*parse)(const struct option_row *row, const char *text, void *field, const char **why);
};

static int set_flag(const struct option_row *row, const char *text, void *field, const char **why)
{
	uint32_t no;

	(void)row;
	if (parse_choice(text, "yes|no", &no, why))
		return -1;
	*(bool *)field = !no;
	return 0;
}

static int set_number(const struct option_row *row, const char *text, void *field, const char **why)
{
	return parse_number(text, row->min, row->max, field, why);
}

static int set_choice(const struct option_row *row, const char *text, void *field, const char **why)
{
	return parse_choice(text, row->value, field, why);
}

static int set_text(const struct option_row *row, const char *text, void *field, const char **why)
{
	(void)row;
	(void)why;
	*(const char **)field = text;
	return 0;
}

static int set_served(const struct option_row *row, const char *text, void *field, const char **why)
{
	return parse_served_list(text, NULL, NULL, why) ?: set_text(row, text, field, why);
}

/* As parse_duration() would read it, in the greatest unit that leaves no rest. */
static int print_seconds(char *buf, size_t size, uint32_t seconds)
{
	if (seconds && seconds % 86400 == 0)
		return snprintf(buf, size, "%ud", seconds / 86400);
	if (seconds && seconds % 3600 == 0)
		return snprintf(buf, size, "%uh", seconds / 3600);
	if (seconds && seconds % 60 == 0)
		return snprintf(buf, size, "%um", seconds / 60);
	return snprintf(buf, size, "%us", seconds);
}

static int set_duration(const struct option_row *row, const char *text, void *field, const char **why)
{
	static _Thread_local char why_text[64];
	char least[16], most[16];
	uint64_t ns;

	if (parse_duration(text, &ns, why))
		return -1;
	if (ns < row->min * NS_PER_S || ns > row->max * NS_PER_S) {
		print_seconds(least, sizeof(least), row->min);
		print_seconds(most, sizeof(most), row->max);
		snprintf(why_text, sizeof(why_text), "a duration from %s to %s", least, most);
		*why = why_text;
		return -1;
	}
	*(uint64_t *)field = ns;
	return 0;
}

/* Those whose value needs nothing of the row. */
#define SET(name)                                                                                                      \
	static int set_##name(const struct option_row *row, const char *text, void *field, const char **why)           \
	{                                                                                                              \
		(void)row;                                                                                             \
		return parse_##name(text, field, why);                                                                 \
	}
SET(cidr)
SET(state)
SET(listen)
SET(hosts)
SET(comm)
SET(cgroup)
SET(netns)
SET(when)

static const struct kind kinds[] = {
	[OPTION_FLAG] = {.size = sizeof(bool), .parse = set_flag},
	[OPTION_NUMBER] = {.size = sizeof(uint32_t), .parse = set_number},
	[OPTION_CHOICE] = {.size = sizeof(uint32_t), .parse = set_choice},
	[OPTION_TEXT] = {.size = sizeof(char *), .is_text = true, .parse = set_text},
	[OPTION_FILE] = {.size = sizeof(char *), .is_text = true, .parse = set_text},
	[OPTION_SERVED] = {.size = sizeof(char *), .is_text = true, .adds_up = true, .parse = set_served},
	[OPTION_HOSTS] = {.size = sizeof(char *), .is_text = true, .adds_up = true, .parse = set_hosts},
	[OPTION_CIDR] = {.size = sizeof(struct prefix), .parse = set_cidr},
	[OPTION_DURATION] = {.size = sizeof(uint64_t), .parse = set_duration},
	[OPTION_WHEN] = {.size = sizeof(uint64_t), .parse = set_when},
	[OPTION_STATE] = {.size = sizeof(uint32_t), .parse = set_state},
	[OPTION_LISTEN] = {.size = sizeof(struct listen_at), .parse = set_listen},
	[OPTION_COMM] = {.size = sizeof(char *), .is_text = true, .parse = set_comm},
	[OPTION_CGROUP] = {.size = sizeof(struct cgroup_path), .parse = set_cgroup},
	[OPTION_NETNS] = {.size = sizeof(uint32_t), .parse = set_netns},
};

int kinds__set(const struct option_row *row, const char *text, void *options, const char **why)
{
	return kinds[row->kind].parse(row, text, (char *)options + row->offset, why);
}

bool kinds__is_text(const struct option_row *row)
{
	return kinds[row->kind].is_text;
}

bool kinds__adds_up(const struct option_row *row)
{
	return kinds[row->kind].adds_up;
}

int kinds__add(const struct option_row *row, const char *text, void *options, char **kept, const char **why)
{
	char *whole;

	if (kinds__set(row, text, options, why))
		return -1;
	*why = "read: out of memory";
	if (asprintf(&whole, "%s%s%s", *kept ? *kept : "", *kept ? "," : "", text) < 0)
		return -1;
	free(*kept);
	*kept = whole;
	return kinds__set(row, whole, options, why);
}

const char *kinds__text(const struct option_row *row, const void *options)
{
	return *(const char *const *)((const char *)options + row->offset);
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool kinds__is_same(const struct option_row *row, const void *options, const void *others)
{
	if (kinds[row->kind].is_text)
		return is_same_text(kinds__text(row, options), kinds__text(row, others));
	return !memcmp((const char *)options + row->offset, (const char *)others + row->offset, kinds[row->kind].size);
}

void kinds__swap(const struct option_row *row, void *options, void *others)
{
	char *a = (char *)options + row->offset, *b = (char *)others + row->offset;

	for (size_t i = 0; i < kinds[row->kind].size; i++) {
		char byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}
