/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `sync` fetches and how far it believes it: the sections [sync], [crowdsec] and [list NAME] of the configuration
 * file. `run` makes the fleet's maps where there is a source, of the size that [sync] says.
 */
#ifndef SYNWARDEN_CONFIG_SYNC_OPTIONS_H
#define SYNWARDEN_CONFIG_SYNC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "types.h"

#define SYNC_NAME_LEN	 24 /* of a source, with the zero */
#define SYNC_SOURCES_MAX 16
#define SYNC_ROWS_MAX	 12
#define SYNC_CROWDSEC	 "crowdsec" /* the name of that source */

struct sync_options {
	uint32_t max_entries; /* of each of the two lists */
	bool state;
	bool protect_local;
	uint32_t shortest;     /* bits of an IPv4 prefix */
	uint32_t shortest6;    /* and of an IPv6 prefix; shorter ones are left out */
	uint32_t shrink_guard; /* % of a source's entries; 100: no guard */
};

/* Of [crowdsec] and of [list NAME]; what a section does not have stays 0. */
struct sync_source_options {
	const char *url, *file, *key_file, *tls_cert, *tls_key, *tls_ca;
	const char *origins, *scenarios;
	uint64_t interval_ns, full_interval_ns, spread_ns, longest_ns, stale_after_ns;
	uint32_t allows; /* 0: block, 1: allow */
};

struct sync_source {
	char name[SYNC_NAME_LEN];
	bool is_crowdsec;
	unsigned line;			    /* of its first header */
	struct sync_source_options options; /* points to `texts` */
	char *texts[SYNC_ROWS_MAX];	    /* by row */
	unsigned seen[SYNC_ROWS_MAX];	    /* on which line, by row */
};

struct sync_settings {
	struct sync_options options;
	bool is_used; /* the file has one of these sections: the filter has fleet lists */
	unsigned seen[SYNC_ROWS_MAX];
	struct sync_source *sources; /* in the order of the file: the first come first where not all find room */
	size_t source_count;
};

extern const struct option_table sync_options__sync, sync_options__crowdsec, sync_options__list;

void sync_options__defaults(struct sync_settings *sync);
/* A source with the defaults of its kind; NULL without memory, or where there are SYNC_SOURCES_MAX. The others may
 * move. */
struct sync_source *sync_options__add(struct sync_settings *sync, const char *name, bool is_crowdsec);
struct sync_source *sync_options__find(const struct sync_settings *sync, const char *name);
void sync_options__free(struct sync_settings *sync);

#endif
