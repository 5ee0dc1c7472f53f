// SPDX-License-Identifier: GPL-2.0-only
/*
 * The texts are another process's: bounded by their fields, and cleaned like any other label.
 */
#include <stdio.h>
#include <string.h>

#include "output/fleet_origin.h"
#include "text/address.h"
#include "text/clean.h"

char *fleet_origin__text(char text[FLEET_ORIGIN_LEN], const struct fleet_origin *origin)
{
	char source[sizeof(origin->source)], from[sizeof(origin->origin)], scenario[sizeof(origin->scenario)];

	snprintf(source, sizeof(source), "%.*s", (int)sizeof(source) - 1, origin->source);
	snprintf(from, sizeof(from), "%.*s", (int)sizeof(from) - 1, origin->origin);
	snprintf(scenario, sizeof(scenario), "%.*s", (int)sizeof(scenario) - 1, origin->scenario);
	if (!*source)
		snprintf(text, FLEET_ORIGIN_LEN, "unknown");
	else
		snprintf(text, FLEET_ORIGIN_LEN, "%s%s%s%s%s", source, *from ? "/" : "", from, *scenario ? ": " : "",
			 scenario);
	print_clean(text);
	return text;
}

static void put(struct json *json, const char *name, const char *field, size_t size)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)size - 1, field);
	if (*text)
		json_string(json, name, text);
	else
		json_null(json, name);
}

void fleet_origin__json(struct json *json, const struct fleet_origin *origin)
{
	put(json, "source", origin->source, sizeof(origin->source));
	put(json, "source_origin", origin->origin, sizeof(origin->origin));
	put(json, "scenario", origin->scenario, sizeof(origin->scenario));
}

void fleet_origin__record(FILE *out, const char *list, const struct fleet_entry *entry,
			  const struct fleet_origin *origin, uint64_t now_ns)
{
	uint64_t left_ns = entry->until_ns > now_ns ? entry->until_ns - now_ns : 0;
	char text[PRINT_PREFIX_LEN];
	struct json json;

	json_begin(&json, out);
	json_label(&json, "list", list);
	json_label(&json, "cidr", print_prefix(text, &entry->prefix));
	if (entry->until_ns)
		json_number(&json, "expires_in_seconds", (left_ns + 999999999) / 1000000000);
	else
		json_null(&json, "expires_in_seconds");
	json_label(&json, "origin", "fleet");
	fleet_origin__json(&json, origin);
	json_end(&json);
}
