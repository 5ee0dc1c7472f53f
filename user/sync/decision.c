// SPDX-License-Identifier: GPL-2.0-only
/*
 * Only what is certain to be a ban of addresses becomes one: a type or a scope that is not known is left out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/cidr.h"
#include "sync/decision.h"
#include "system/clock.h"
#include "text/address.h"

#define HUNDRED_YEARS_NS (100LL * 365 * 86400 * (int64_t)NS_PER_S)
#define V4_BITS		 96 /* before the 32 of an IPv4 prefix */
#define ORIGINS_MAX	 64 /* ranks of a source */
#define LISTS		 "lists"
#define CONTAINS	 "contains"

static const struct {
	const char *name;
	double ns;
} units[] = {
	{"h", 3600e9},	    {"ms", 1e6},	{"m", 60e9}, {"s", 1e9},
	{"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3}, {"us", 1e3}, {"ns", 1},
};

/* A number and its unit; NULL: it is none. */
static const char *read_part(const char *text, double *ns)
{
	size_t digits = strspn(text, "0123456789."), i;

	if (!digits || digits > 24 || *text == '.' || memchr(text, '.', digits) != memrchr(text, '.', digits))
		return NULL;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strncmp(text + digits, units[i].name, strlen(units[i].name)))
			break;
	if (i == sizeof(units) / sizeof(*units))
		return NULL;
	*ns += strtod(text, NULL) * units[i].ns;
	return text + digits + strlen(units[i].name);
}

int decision__duration(const char *text, int64_t *ns)
{
	bool negative = *text == '-';
	double sum = 0;

	text += negative || *text == '+';
	if (!*text)
		return -1;
	while (text && *text)
		text = read_part(text, &sum);
	if (!text)
		return -1;
	*ns = sum > HUNDRED_YEARS_NS ? HUNDRED_YEARS_NS : (int64_t)sum;
	if (negative)
		*ns = -*ns;
	return 0;
}

uint64_t decision__id(const struct decision *decision)
{
	const char *text = decision->texts[DECISION_id];
	size_t len = strlen(text);

	return len && len < 19 && strspn(text, "0123456789") == len ? strtoull(text, NULL, 10) : 0;
}

bool decision__is_short(const struct prefix *prefix, const struct sync_options *sync)
{
	struct addr addr;

	memcpy(addr.words, prefix->words, sizeof(addr.words));
	if (prefix->prefixlen >= V4_BITS && print_is_v4(&addr))
		return prefix->prefixlen - V4_BITS < sync->shortest;
	return prefix->prefixlen < sync->shortest6;
}

/* The next word of *list, which ends at a blank or a comma; NULL: there is none. */
static const char *next_word(const char **list, size_t *len)
{
	const char *word = *list + strspn(*list, " \t,");

	*len = strcspn(word, " \t,");
	*list = word + *len;
	return *len ? word : NULL;
}

/* "lists" names every list that LAPI subscribes to, "lists:NAME" one of them: its scenario has the name. */
static bool is_origin(const char *word, size_t len, const char *origin, const char *scenario)
{
	size_t list = strlen(LISTS ":");

	if (len == strlen(origin) && !memcmp(word, origin, len))
		return true;
	return len > list && !strcmp(origin, LISTS) && !memcmp(word, LISTS ":", list) &&
	       len - list == strlen(scenario) && !memcmp(word + list, scenario, len - list);
}

/* The place of the origin among those that are asked for; -1: it is none of them. */
static int origin_place(const char *origins, const char *origin, const char *scenario)
{
	const char *word;
	size_t len;

	for (int place = 0; (word = next_word(&origins, &len)); place += place < ORIGINS_MAX - 1)
		if ((len == 1 && *word == '*') || is_origin(word, len, origin, scenario))
			return place;
	return -1;
}

/* "*", "contains WORD...", "not contains WORD...", or the scenarios themselves. */
static bool is_scenario(const char *scenarios, const char *scenario)
{
	bool excludes, contains, found = false;
	const char *word;
	size_t len;

	word = next_word(&scenarios, &len);
	if (!word || (len == 1 && *word == '*'))
		return true;
	excludes = len == 3 && !memcmp(word, "not", len);
	if (excludes)
		word = next_word(&scenarios, &len);
	contains = word && len == strlen(CONTAINS) && !memcmp(word, CONTAINS, len);
	if (contains)
		word = next_word(&scenarios, &len);
	for (; word && !found; word = next_word(&scenarios, &len))
		found = contains ? memmem(scenario, strlen(scenario), word, len) != NULL
				 : strlen(scenario) == len && !memcmp(scenario, word, len);
	return found != excludes;
}

int decision__place(const struct sync_source_options *options, const char *origin, const char *scenario)
{
	return is_scenario(options->scenarios, scenario) ? origin_place(options->origins, origin, scenario) : -1;
}

/* What it is, before where from and how long. */
static unsigned judge_kind(const struct decision *decision)
{
	const char *scope = decision->texts[DECISION_scope], *simulated = decision->texts[DECISION_simulated];

	if (!decision__id(decision) || !*scope || !*decision->texts[DECISION_type] || !*decision->texts[DECISION_value])
		return FLEET_SYNTAX;
	if (strcasecmp(scope, "ip") != 0 && strcasecmp(scope, "range") != 0)
		return FLEET_SCOPE;
	if (strcmp(decision->texts[DECISION_type], "ban") != 0 || !strcmp(simulated, "true"))
		return FLEET_TYPE;
	return DECISION_TAKEN;
}

static unsigned read_place(const struct decision *decision, const struct decision_rules *rules, struct record *record)
{
	const char *why;
	bool masked;

	if (parse_masked_cidr(decision->texts[DECISION_value], &record->prefix, &masked, &why))
		return FLEET_SYNTAX;
	return decision__is_short(&record->prefix, rules->sync) ? FLEET_SHORT : DECISION_TAKEN;
}

unsigned decision__record(const struct decision *decision, const struct decision_rules *rules, uint64_t asked_ns,
			  struct record *record)
{
	const char *origin = decision->texts[DECISION_origin], *scenario = decision->texts[DECISION_scenario];
	const struct sync_source_options *options = &rules->source->options;
	unsigned reject = judge_kind(decision);
	int place = decision__place(options, origin, scenario);
	int64_t left_ns;

	if (reject == DECISION_TAKEN)
		reject = read_place(decision, rules, record);
	if (reject == DECISION_TAKEN && decision__duration(decision->texts[DECISION_duration], &left_ns))
		reject = FLEET_SYNTAX;
	if (reject != DECISION_TAKEN)
		return reject;
	if (place < 0)
		return DECISION_FILTERED;
	if (left_ns < 0)
		left_ns = 0;
	if ((uint64_t)left_ns > options->longest_ns)
		left_ns = options->longest_ns;
	record->id = decision__id(decision);
	record->ends_ns = asked_ns + left_ns ?: 1;
	record->note = notes__number(rules->notes, rules->source->name, origin, scenario, rules->rank + place);
	return DECISION_TAKEN;
}
