/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source of the configuration: what it says, when it is asked next, and how far its last answer is believed.
 * Nothing is taken off because a source cannot be read: entries end when they would have.
 */
#ifndef SYNWARDEN_SYNC_SOURCE_H
#define SYNWARDEN_SYNC_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "config/prefixes.h"
#include "sync/answer.h"
#include "sync/pull.h"

#define SOURCE_RANKS 64 /* ranks that a source has, one for each of its origins */

/* What the sources share. */
struct source_context {
	const struct sync_options *sync;
	struct notes *notes;
	CURLM *multi;
	const char *key; /* the LAPI's; NULL: none */
	size_t most;	 /* records of one source */
};

struct shared_source {
	const struct sync_source *config;
	unsigned number; /* in the order of the configuration */
	struct said said;
	bool has_ids;		 /* its records' ids are the LAPI's: not where they were read from the maps */
	struct prefixes servers; /* that have answered; never blocked */

	/* When. CLOCK_MONOTONIC; 0: never, or at once. */
	uint64_t next_ns, next_full_ns, tried_ns, succeeded_ns;
	uint64_t succeeded_s; /* CLOCK_REALTIME, seconds */
	uint64_t ends_ns;     /* of a list: when its entries end, unless it can be read again; 0: never */
	bool want_full;	      /* what was sent may have been lost */
	unsigned failures;    /* since the last success */
	char why[PULL_WHY_LEN];

	/* The request that runs. */
	bool is_running, is_full;
	struct pull pull;
	struct answer *answer;
	FILE *body;
	char *text;
	size_t size;
	bool is_too_long;

	/* How far it is believed. */
	bool is_forced;	 /* the next full answer is, however short */
	bool is_doubted; /* the last one was not */

	/* Of a list: its copy. */
	char etag[PULL_TAG_LEN], modified[PULL_TAG_LEN];
	struct timespec changed;

	/* What is shown. */
	uint64_t rejected[FLEET_REJECTED_MAX]; /* left out now */
	uint64_t surplus;		       /* of those that find no room, what was not even kept */
	uint64_t pulls[2][2];		       /* [of a delta, full][failed, succeeded] */
	uint64_t missed;		       /* decisions that no delta brought */
	uint64_t took_ns;
};

void source__open(struct shared_source *source, const struct sync_source *config, unsigned number);
/* Whether it is to be asked now. */
bool source__is_due(const struct shared_source *source, uint64_t now_ns);
/* Asks it. True where its records have changed by that: a file is read at once. */
bool source__ask(struct shared_source *source, const struct source_context *context);
/* Its request has ended. True where its records have changed. */
bool source__answered(struct shared_source *source, const struct source_context *context, CURLcode code);
/* The whole is asked for as soon as may be; `is_forced`: and believed. */
void source__want_all(struct shared_source *source, bool is_forced);
/* Whether it could not be read for three intervals, or never. */
bool source__is_stale(const struct shared_source *source, uint64_t now_ns);
/* Where its entries end with it, the end is moved as far as the last success allows. True: it has moved. */
bool source__renew(struct shared_source *source);
void source__close(struct shared_source *source, const struct source_context *context);

/*
 * Of a full answer that would take `missing` of `before` entries off: whether that is not believed yet. It is the
 * second time, a minute later.
 */
bool source__doubts(struct shared_source *source, const struct source_context *context, size_t missing, size_t before);
/* Warns of many entries at once: a mistake somewhere, or a LAPI in other hands. */
void source__watch_rise(const struct shared_source *source, size_t before, size_t added);

/* By kind. The first two return 0, or -1 and the reason in `why`; `*changed`: the records are others now. */
int crowdsec__ask(struct shared_source *source, const struct source_context *context);
int crowdsec__answered(struct shared_source *source, const struct source_context *context, bool *changed);
int list__ask(struct shared_source *source, const struct source_context *context);
int list__answered(struct shared_source *source, const struct source_context *context, bool *changed);
/* Of a file: reads it, where it has changed since the last time. */
int list__read(struct shared_source *source, const struct source_context *context, bool *changed);

#endif
