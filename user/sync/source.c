// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a source is asked. Hosts that were started together, or that all lost the same server, must not ask together:
 * every time has a random part.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sync/source.h"
#include "system/clock.h"
#include "text/log.h"

#define BACKOFF_MAX_S	 60
#define DOUBLINGS	 20
#define RETRY_NS	 (100 * NS_PER_MS) /* at least, after a failure */
#define FILE_NS		 NS_PER_S	   /* how often a file is looked at */
#define DOUBT_NS	 (60 * NS_PER_S)
#define SHRINK_LEAST	 10 /* entries that may always go */
#define RISE_LEAST	 1000
#define SERVERS_MAX	 16
#define HTTP_OK		 200
#define HTTP_NOT_CHANGED 304
#define STALE_INTERVALS	 3
#define RUNNING_NS	 (600 * NS_PER_S)
#define RENEW_PART	 8 /* ends move when an eighth of the time is used up */

/* From 0 to `most`. */
static uint64_t random_ns(uint64_t most)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = clock__now() * 0x9e3779b97f4a7c15ULL;
	return most ? number % most : 0;
}

/* `ns`, give or take ns / `part`. */
static uint64_t about(uint64_t ns, unsigned part)
{
	return ns - ns / part + random_ns(2 * (ns / part));
}

void source__open(struct shared_source *source, const struct sync_source *config, unsigned number)
{
	*source = (struct shared_source){.config = config, .number = number, .want_full = true};
	source->next_ns = clock__now() + random_ns(config->options.spread_ns);
}

bool source__is_due(const struct shared_source *source, uint64_t now_ns)
{
	return !source->is_running && now_ns >= source->next_ns;
}

/* The entries that were granted last as long as it may stay unread, counted from the last success. */
bool source__renew(struct shared_source *source)
{
	uint64_t stale_ns = source->config->options.stale_after_ns, ends_ns;

	if (source->config->is_crowdsec || !source->succeeded_ns)
		return false;
	if (!stale_ns) {
		ends_ns = source->ends_ns;
		source->ends_ns = 0;
		return ends_ns != 0;
	}
	ends_ns = source->succeeded_ns + stale_ns;
	if (ends_ns == source->ends_ns || (!source->failures && ends_ns - source->ends_ns < stale_ns / RENEW_PART))
		return false;
	source->ends_ns = ends_ns;
	return true;
}

/* What the server asks for, as far as its entries do not end meanwhile. */
static uint64_t longer_wait(const struct shared_source *source, uint64_t interval_ns)
{
	uint64_t stale_ns = source->config->options.stale_after_ns, wait_ns = source->pull.wait_ns;

	if (stale_ns && wait_ns > stale_ns / 2)
		wait_ns = stale_ns / 2;
	return wait_ns > interval_ns ? wait_ns : interval_ns;
}

static void succeed(struct shared_source *source)
{
	uint64_t now_ns = clock__now(), interval_ns = about(source->config->options.interval_ns, 10);

	if (source->failures)
		log_notice("%s: it can be read again, after %u failures", source->config->name, source->failures);
	source->failures = 0;
	*source->why = '\0';
	source->succeeded_ns = now_ns;
	source->succeeded_s = clock__ns(CLOCK_REALTIME) / NS_PER_S;
	if (source->config->options.file)
		interval_ns = FILE_NS;
	else if (!source->config->is_crowdsec)
		interval_ns = longer_wait(source, interval_ns);
	source->next_ns = now_ns + interval_ns;
	if (source->is_full) {
		source->want_full = false;
		source->next_full_ns = now_ns + about(source->config->options.full_interval_ns, 4);
	}
	if (source->is_full && source->is_doubted) {
		source->next_full_ns = now_ns + DOUBT_NS;
		source->next_ns = source->config->is_crowdsec ? source->next_ns : source->next_full_ns;
	}
}

/* 1, 2, 4 ... 60 s; the server of a list that is rarely asked is spared for longer. */
static uint64_t backoff(const struct shared_source *source)
{
	uint64_t most_ns = BACKOFF_MAX_S * NS_PER_S;
	unsigned doublings = source->failures < DOUBLINGS ? source->failures : DOUBLINGS;

	if (!source->config->is_crowdsec && source->config->options.interval_ns / 4 > most_ns)
		most_ns = source->config->options.interval_ns / 4;
	return (NS_PER_S << doublings) < most_ns ? NS_PER_S << doublings : most_ns;
}

/* One line when it begins; the status has the rest. */
static void fail(struct shared_source *source)
{
	uint64_t backoff_ns = backoff(source);

	if (!source->failures++)
		log_warn("%s: %s; what it said stays, each entry to its end", source->config->name, source->why);
	source->next_ns = clock__now() + RETRY_NS + random_ns(backoff_ns);
	if (source->want_full && source->config->options.spread_ns > backoff_ns)
		source->next_ns += random_ns(source->config->options.spread_ns);
	if (source->pull.retry_ns)
		source->next_ns += source->pull.retry_ns;
	if (source->config->options.file)
		source->next_ns = clock__now() + FILE_NS;
}

static void end(struct shared_source *source, int err)
{
	bool is_wanted_again = !source->next_ns; /* all of it, since it was asked */

	source->is_running = false;
	source->pulls[source->is_full][!err]++;
	if (err)
		fail(source);
	else
		succeed(source);
	if (is_wanted_again)
		source__want_all(source, false);
	else
		source->is_forced = source->is_forced && err;
}

static void drop_request(struct shared_source *source, const struct source_context *context)
{
	struct answer_result unread;

	pull__cancel(&source->pull, context->multi);
	if (source->answer) {
		unread = answer__end(source->answer, false);
		answer__free_result(&unread);
		source->answer = NULL;
	}
	if (source->body)
		fclose(source->body);
	free(source->text);
	source->body = NULL;
	source->text = NULL;
}

bool source__ask(struct shared_source *source, const struct source_context *context)
{
	bool changed = false;
	int err;

	source->tried_ns = source->next_ns = clock__now();
	source->is_full = !source->config->is_crowdsec || source->want_full || source->tried_ns >= source->next_full_ns;
	if (source->config->options.file) {
		err = list__read(source, context, &changed);
		end(source, err);
		return changed;
	}
	err = source->config->is_crowdsec ? crowdsec__ask(source, context) : list__ask(source, context);
	source->is_running = true;
	if (err) {
		drop_request(source, context);
		end(source, err);
	}
	return false;
}

/* Those that answered last, in this order: a server that was refused, or led elsewhere, may be anybody's. */
static void keep_server(struct shared_source *source)
{
	struct prefix prefix = {.prefixlen = 128};
	struct prefixes *servers = &source->servers;
	size_t i;

	if (source->pull.end != PULL_WHOLE || !source->pull.is_direct ||
	    (source->pull.status != HTTP_OK && source->pull.status != HTTP_NOT_CHANGED))
		return;
	memcpy(prefix.words, source->pull.server.words, sizeof(prefix.words));
	if (!prefix.words[0] && !prefix.words[1] && !prefix.words[2] && !prefix.words[3])
		return;
	for (i = 0; i < servers->count && memcmp(&servers->all[i], &prefix, sizeof(prefix)); i++)
		;
	if (i == servers->count && i < SERVERS_MAX) {
		prefixes__add(servers, &prefix);
		return;
	}
	i = i == servers->count ? 0 : i;
	memmove(&servers->all[i], &servers->all[i + 1], (servers->count - i - 1) * sizeof(prefix));
	servers->all[servers->count - 1] = prefix;
}

bool source__answered(struct shared_source *source, const struct source_context *context, CURLcode code)
{
	bool changed = false;
	int err;

	pull__end(&source->pull, context->multi, code);
	source->took_ns = source->pull.took_ns;
	keep_server(source);
	snprintf(source->why, sizeof(source->why), "%s", source->pull.why);
	err = source->config->is_crowdsec ? crowdsec__answered(source, context, &changed)
					  : list__answered(source, context, &changed);
	end(source, err);
	return changed;
}

void source__want_all(struct shared_source *source, bool is_forced)
{
	source->want_full = true;
	source->is_forced |= is_forced;
	source->next_ns = 0;
	*source->etag = *source->modified = '\0';
	source->changed = (struct timespec){};
}

bool source__is_stale(const struct shared_source *source, uint64_t now_ns)
{
	uint64_t interval_ns = source->config->options.file ? FILE_NS : source->config->options.interval_ns;
	uint64_t most_ns = STALE_INTERVALS * interval_ns;

	/* A whole answer may queue behind those of other hosts for minutes. */
	if (!source->failures && most_ns < RUNNING_NS)
		most_ns = RUNNING_NS;
	return !source->succeeded_ns ||
	       ((source->failures || source->is_running) && now_ns - source->succeeded_ns > most_ns);
}

bool source__doubts(struct shared_source *source, const struct source_context *context, size_t missing, size_t before)
{
	uint32_t guard = context->sync->shrink_guard;
	bool again = source->is_doubted || source->is_forced;

	source->is_doubted = false;
	if (guard == 100 || missing <= SHRINK_LEAST || missing * 100 <= before * guard)
		return false;
	if (again) {
		log_notice("%s: %zu of %zu entries go", source->config->name, missing, before);
		return false;
	}
	log_warn("%s: its answer would take %zu of %zu entries off; it is believed if the next one, in a minute, says "
		 "the same, or at once by: synwarden sync --force",
		 source->config->name, missing, before);
	source->is_doubted = true;
	return true;
}

void source__watch_rise(const struct shared_source *source, size_t before, size_t added)
{
	if (before && added > RISE_LEAST && added > before / 2)
		log_warn("%s: %zu entries more at once, after %zu", source->config->name, added, before);
}

void source__close(struct shared_source *source, const struct source_context *context)
{
	drop_request(source, context);
	said__free(&source->said);
	prefixes__free(&source->servers);
}
