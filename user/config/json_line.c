// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scans an object from its first byte to its last: what follows the wanted member must be valid as well.
 */
#include <stdbool.h>
#include <string.h>

#include "config/json_line.h"

#define BLANKS " \t\r\n"

static const char *skip(const char *at)
{
	return at + strspn(at, BLANKS);
}

/* Reads a string into `value`; NULL where it is none or does not fit, else what follows it. */
static const char *read_string(const char *at, char *value, size_t size)
{
	size_t len = 0;

	if (*at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if (*at == '\\' && !strchr("\"\\/", *++at))
			return NULL;
		if (!*at || len + 1 >= size)
			return NULL;
		value[len++] = *at;
	}
	value[len] = '\0';
	return at + 1;
}

/* What follows a value that is not wanted; NULL where it is none. */
static const char *skip_value(const char *at)
{
	size_t len;

	if (*at != '"') {
		len = strcspn(at, ",}{[" BLANKS);
		return len && at[len] != '{' && at[len] != '[' ? at + len : NULL;
	}
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if (!*at)
			return NULL;
	}
	return at + 1;
}

int json_line__string(const char *text, const char *name, char *value, size_t size)
{
	const char *at = skip(text);
	char key[64];
	int found = 0;

	if (*at++ != '{')
		return -1;
	at = skip(at);
	while (*at != '}') {
		at = read_string(at, key, sizeof(key));
		at = at ? skip(at) : "";
		if (*at != ':')
			return -1;
		at = skip(at + 1);
		if (!strcmp(key, name)) {
			at = read_string(at, value, size);
			found = 1;
		} else {
			at = skip_value(at);
		}
		at = at ? skip(at) : "";
		if (*at == ',' && *skip(at + 1) == '"')
			at = skip(at + 1);
		else if (*at != '}')
			return -1;
	}
	return *skip(at + 1) ? -1 : found;
}
