// SPDX-License-Identifier: GPL-2.0-only
/*
 * nsswitch.conf(5): "hosts: files mdns4_minimal [NOTFOUND=return] dns # comment"
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetch/nsswitch.h"

#define FALLBACK " dns [!UNAVAIL=return] files"

static const char *const statuses[NSSWITCH_STATUSES] = {"SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN"};

/* The beginning of the line's value; NULL: there is none. */
static const char *find_line(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (!strncmp(line, "hosts:", 6))
			return line + 6;
	}
	return NULL;
}

/* "NOTFOUND=return", "!UNAVAIL=return": the latter is of all others. */
static void set_action(bool ends[NSSWITCH_STATUSES], const char *text, size_t len)
{
	bool is_negated = len && *text == '!';
	const char *end = text + len, *equals;
	bool returns;

	text += is_negated;
	equals = memchr(text, '=', end - text);
	if (!equals)
		return;
	returns = end - equals == 7 && !strncasecmp(equals + 1, "return", 6);
	for (unsigned i = 0; i < NSSWITCH_STATUSES; i++) {
		bool is_named = strlen(statuses[i]) == (size_t)(equals - text) &&
				!strncasecmp(statuses[i], text, equals - text);

		if (is_named != is_negated)
			ends[i] = returns;
	}
}

/* Behind "[". Returns what stands behind "]". */
static const char *parse_actions(const char *at, struct nsswitch *services)
{
	while (*at && *at != ']' && *at != '\n') {
		size_t len = strcspn(at, " \t]\n");

		if (services->count)
			set_action(services->services[services->count - 1].ends, at, len);
		at += len;
		at += strspn(at, " \t");
	}
	return at + (*at == ']');
}

static const char *parse_service(const char *at, struct nsswitch *services)
{
	size_t len = strcspn(at, " \t[\n#");

	if (len < NSSWITCH_NAME && services->count < NSSWITCH_SERVICES) {
		snprintf(services->services[services->count].name, NSSWITCH_NAME, "%.*s", (int)len, at);
		services->services[services->count++].ends[NSSWITCH_SUCCESS] = true;
	}
	return at + len;
}

void nsswitch__parse(const char *text, struct nsswitch *services)
{
	const char *at = find_line(text) ?: FALLBACK;

	*services = (struct nsswitch){};
	while (*(at += strspn(at, " \t")) && *at != '\n' && *at != '#')
		at = *at == '[' ? parse_actions(at + 1, services) : parse_service(at, services);
}
