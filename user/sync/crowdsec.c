// SPDX-License-Identifier: GPL-2.0-only
/*
 * LAPI's stream for bouncers. The server keeps in mind what a key has read, not what arrived, and its deltas can lose
 * decisions: so the whole is compared now and then, and after every answer that may have been read in part.
 * dedup=false: without it, decisions on the same address hide each other, and their deletion is not said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/source.h"
#include "text/log.h"

#define PATH	    "/v1/decisions/stream?startup=%s&scopes=ip,range&dedup=false"
#define DELTA_S	    300L /* a delta is short, however long a whole answer may queue */
#define HTTP_OK	    200
#define HTTP_SERVER 500

static int take(void *context, const void *bytes, size_t len)
{
	struct shared_source *source = context;

	return answer__take(source->answer, bytes, len);
}

int crowdsec__ask(struct shared_source *source, const struct source_context *context)
{
	const struct sync_source_options *options = &source->config->options;
	struct decision_rules rules = {context->sync, source->config, source->number * SOURCE_RANKS, context->notes};
	struct pull_request request = {
		.source = source->config,
		.key = context->key,
		.take = take,
		.context = source,
		.most_s = source->is_full ? 0 : DELTA_S,
	};
	size_t len = strlen(options->url);
	char *url;
	int err;

	while (len && options->url[len - 1] == '/')
		len--;
	snprintf(source->why, sizeof(source->why), "out of memory");
	if (asprintf(&url, "%.*s" PATH, (int)len, options->url, source->is_full ? "true" : "false") < 0)
		return -1;
	source->answer = answer__begin(&rules, source->tried_ns, context->most, source->is_full);
	request.url = url;
	err = source->answer ? pull__begin(&source->pull, context->multi, &request) : -1;
	free(url);
	return err;
}

/* The newest find no room. */
static void trim(struct shared_source *source, const struct source_context *context)
{
	if (source->said.count <= context->most)
		return;
	source->surplus += source->said.count - context->most;
	source->said.count = context->most;
}

/* -1 without memory. */
static int replace_all(struct shared_source *source, const struct source_context *context, struct answer_result *result,
		       bool *changed)
{
	struct said *known = &source->said, merged = {};
	size_t before = known->count, missing, added;

	missing = source->has_ids ? said__missing(known, &result->fresh, source->tried_ns)
				  : before - (before < result->fresh.count ? before : result->fresh.count);
	if (source->has_ids)
		source->missed += said__lost(known, &result->fresh);
	if (source__doubts(source, context, missing, before)) {
		memset(source->rejected, 0, sizeof(source->rejected));
		return said__merge(known, &result->fresh, &added);
	}
	/* Ends that are the same stay: of what is known, those that are in the answer, too. */
	said__expire(known, source->tried_ns);
	if (source->has_ids && said__merge(known, &result->fresh, &added) == 0)
		for (size_t i = 0, j = 0; i < known->count && j < result->fresh.count; i++)
			if (known->all[i].id == result->fresh.all[j].id)
				result->fresh.all[j++].ends_ns = known->all[i].ends_ns;
	merged = *known;
	*known = result->fresh;
	result->fresh = merged;
	source->has_ids = true;
	source__watch_rise(source, before, known->count > before ? known->count - before : 0);
	memset(source->rejected, 0, sizeof(source->rejected));
	*changed = true;
	return 0;
}

static int add_delta(struct shared_source *source, const struct answer_result *result, bool *changed)
{
	size_t before = source->said.count, added = 0;

	if (said__merge(&source->said, &result->fresh, &added))
		return -1;
	said__remove(&source->said, result->gone, result->gone_count);
	source__watch_rise(source, before, added);
	*changed = result->fresh.count || result->gone_count;
	return 0;
}

/* Of an answer that is not whole, what it brings counts; what it lacks says nothing. */
static int take_result(struct shared_source *source, const struct source_context *context, struct answer_result *result,
		       bool *changed)
{
	size_t added;
	int err;

	if (result->wrong) {
		err = said__merge(&source->said, &result->fresh, &added);
		*changed = result->fresh.count;
	} else if (source->is_full) {
		err = replace_all(source, context, result, changed);
	} else {
		err = add_delta(source, result, changed);
	}
	if (source->is_full && !result->wrong)
		source->surplus = 0;
	for (unsigned i = 0; i < FLEET_REJECTED_MAX; i++)
		source->rejected[i] += result->wrong ? 0 : result->rejected[i];
	source->surplus += result->rejected[FLEET_FULL];
	trim(source, context);
	return err;
}

int crowdsec__answered(struct shared_source *source, const struct source_context *context, bool *changed)
{
	const struct pull *pull = &source->pull;
	struct answer_result result = answer__end(source->answer, pull->end == PULL_WHOLE);
	int err = -1;

	source->answer = NULL;
	if (pull->end == PULL_WHOLE && pull->status != HTTP_OK) {
		if (!*source->why)
			snprintf(source->why, sizeof(source->why), "HTTP %ld", pull->status);
		source->want_full |= pull->status >= HTTP_SERVER;
	} else if (pull->end != PULL_UNSENT) {
		err = take_result(source, context, &result, changed);
		if (result.wrong)
			snprintf(source->why, sizeof(source->why), "its answer is not taken: %s", result.wrong);
		else if (err)
			snprintf(source->why, sizeof(source->why), "out of memory");
		source->want_full |= result.lacks_gone || pull->sent > 1;
		if (result.wrong || err) {
			source->want_full = true;
			err = -1;
		}
	}
	answer__free_result(&result);
	return err;
}
