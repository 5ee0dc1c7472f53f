// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys as rows, and their defaults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/sync_options.h"

#define DAY  86400
#define YEAR (365 * DAY)

#define TEXT(field) offsetof(struct sync_source_options, field)

static const struct option_row sync_rows[] = {
	{"max-entries", 0, OPTION_NUMBER, LIST_ENTRIES_MIN, LIST_ENTRIES_MAX, "N",
	 offsetof(struct sync_options, max_entries), .help = "entries of each fleet list; run must be restarted",
	 .fallback = "131072", .restart = true},
	{"state", 0, OPTION_FLAG, 0, 0, "yes|no", offsetof(struct sync_options, state),
	 .help = "keep what is known in /var/lib/synwarden-sync, for the next start", .fallback = "yes"},
	{"protect-local", 0, OPTION_FLAG, 0, 0, "yes|no", offsetof(struct sync_options, protect_local),
	 .help = "never block private, loopback, link-local and multicast addresses", .fallback = "yes"},
	{"shortest", 0, OPTION_NUMBER, 1, 32, "BITS", offsetof(struct sync_options, shortest),
	 .help = "leave out IPv4 prefixes shorter than this", .fallback = "8"},
	{"shortest6", 0, OPTION_NUMBER, 1, 128, "BITS", offsetof(struct sync_options, shortest6),
	 .help = "leave out IPv6 prefixes shorter than this", .fallback = "32"},
	{"shrink-guard", 0, OPTION_NUMBER, 1, 100, "PERCENT", offsetof(struct sync_options, shrink_guard),
	 .help = "believe a full answer that takes off more of a source's entries the second time only; 100: at once",
	 .fallback = "50"},
};

static const struct option_row crowdsec_rows[] = {
	{"url", 0, OPTION_TEXT, 0, 0, "URL", TEXT(url), .help = "of the LAPI"},
	{"key-file", 0, OPTION_FILE, 0, 0, "FILE", TEXT(key_file), .help = "the API key of this host alone"},
	{"tls-cert", 0, OPTION_FILE, 0, 0, "FILE", TEXT(tls_cert),
	 .help = "client certificate (PEM), in place of a key, or besides it"},
	{"tls-key", 0, OPTION_FILE, 0, 0, "FILE", TEXT(tls_key), .help = "the certificate's key (PEM)"},
	{"tls-ca", 0, OPTION_FILE, 0, 0, "FILE", TEXT(tls_ca), .help = "who signs the LAPI's certificate (PEM)"},
	{"interval", 0, OPTION_DURATION, 1, 3600, "10s", TEXT(interval_ns),
	 .help = "time from one request to the next, give or take a tenth", .fallback = "10s"},
	{"full-interval", 0, OPTION_DURATION, 60, DAY, "1h", TEXT(full_interval_ns),
	 .help = "time from one comparison with the whole list to the next, give or take a quarter", .fallback = "1h"},
	{"spread", 0, OPTION_DURATION, 0, 3600, "30s", TEXT(spread_ns),
	 .help = "wait up to this, at random, before asking for the whole list", .fallback = "30s"},
	{"origins", 0, OPTION_TEXT, 0, 0, "*|NAME...", TEXT(origins),
	 .help = "take decisions of these origins, the first ones first where not all find room", .fallback = "*"},
	{"scenarios", 0, OPTION_TEXT, 0, 0, "*|[not] contains WORD...", TEXT(scenarios),
	 .help = "take decisions whose scenario has one of the words in it, or none", .fallback = "*"},
	{"longest", 0, OPTION_DURATION, 60, YEAR, "7d", TEXT(longest_ns), .help = "end every decision by then",
	 .fallback = "7d"},
};

static const struct option_row list_rows[] = {
	{"url", 0, OPTION_TEXT, 0, 0, "URL", TEXT(url), .help = "of the list"},
	{"file", 0, OPTION_FILE, 0, 0, "FILE", TEXT(file), .help = "the list, in place of a URL; read when it changes"},
	{"tls-ca", 0, OPTION_FILE, 0, 0, "FILE", TEXT(tls_ca), .help = "who signs the server's certificate (PEM)"},
	{"verb", 0, OPTION_CHOICE, 0, 0, "block|allow", TEXT(allows), .help = "what its entries are for",
	 .fallback = "block"},
	{"interval", 0, OPTION_DURATION, 1, 7 * DAY, "1h", TEXT(interval_ns),
	 .help = "time from one request to the next, give or take a tenth", .fallback = "1h"},
	{"stale-after", 0, OPTION_DURATION, 0, YEAR, "7d", TEXT(stale_after_ns),
	 .help = "end its entries when it could not be read for so long; 0: never", .fallback = "7d"},
};

#define TABLE(name, rows_, summary_)                                                                                   \
	const struct option_table sync_options__##name = {                                                             \
		.command = "sync",                                                                                     \
		.arguments = "",                                                                                       \
		.summary = summary_,                                                                                   \
		.rows = rows_,                                                                                         \
		.count = sizeof(rows_) / sizeof(*rows_),                                                               \
	};                                                                                                             \
	_Static_assert(sizeof(rows_) / sizeof(*rows_) <= SYNC_ROWS_MAX, "raise SYNC_ROWS_MAX")

TABLE(sync, sync_rows, "[sync]");
TABLE(crowdsec, crowdsec_rows, "[crowdsec]");
TABLE(list, list_rows, "[list NAME]");

void sync_options__defaults(struct sync_settings *sync)
{
	*sync = (struct sync_settings){};
	options__defaults(&sync_options__sync, &sync->options);
}

struct sync_source *sync_options__add(struct sync_settings *sync, const char *name, bool is_crowdsec)
{
	struct sync_source *grown, *source;

	if (sync->source_count == SYNC_SOURCES_MAX)
		return NULL;
	grown = reallocarray(sync->sources, sync->source_count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	sync->sources = grown;
	source = &grown[sync->source_count++];
	*source = (struct sync_source){.is_crowdsec = is_crowdsec};
	snprintf(source->name, sizeof(source->name), "%s", name);
	options__defaults(is_crowdsec ? &sync_options__crowdsec : &sync_options__list, &source->options);
	return source;
}

struct sync_source *sync_options__find(const struct sync_settings *sync, const char *name)
{
	for (size_t i = 0; i < sync->source_count; i++)
		if (!strcmp(sync->sources[i].name, name))
			return &sync->sources[i];
	return NULL;
}

void sync_options__free(struct sync_settings *sync)
{
	for (size_t i = 0; i < sync->source_count; i++)
		for (size_t row = 0; row < SYNC_ROWS_MAX; row++)
			free(sync->sources[i].texts[row]);
	free(sync->sources);
	sync->sources = NULL;
	sync->source_count = 0;
}
