// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list is always read whole, and replaces what it said before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/list_file.h"
#include "sync/desired.h"
#include "sync/source.h"
#include "text/log.h"

#define BODY_MAX	 (32 << 20) /* bytes: a million entries */
#define HTTP_OK		 200
#define HTTP_NOT_CHANGED 304

static int take(void *context, const void *bytes, size_t len)
{
	struct shared_source *source = context;

	if ((size_t)ftell(source->body) + len > BODY_MAX) {
		source->is_too_long = true;
		return -1;
	}
	return fwrite(bytes, 1, len, source->body) == len ? 0 : -1;
}

int list__ask(struct shared_source *source, const struct source_context *context)
{
	struct pull_request request = {
		.source = source->config,
		.url = source->config->options.url,
		.etag = source->etag,
		.modified = source->modified,
		.take = take,
		.context = source,
	};

	snprintf(source->why, sizeof(source->why), "out of memory");
	source->is_too_long = false;
	source->body = open_memstream(&source->text, &source->size);
	return source->body ? pull__begin(&source->pull, context->multi, &request) : -1;
}

static int by_order(const void *left, const void *right)
{
	return desired__compare(left, right);
}

/* How many of the records' prefixes are not among `found`; both are sorted so. */
static size_t count_missing(const struct said *records, const struct prefixes *found)
{
	size_t missing = 0, j = 0;

	for (size_t i = 0; i < records->count; i++) {
		while (j < found->count && desired__compare(&found->all[j], &records->all[i].prefix) < 0)
			j++;
		missing += j == found->count || desired__compare(&found->all[j], &records->all[i].prefix);
	}
	return missing;
}

static int fill(struct shared_source *source, const struct source_context *context, const struct prefixes *found,
		struct said *records)
{
	struct record record = {
		.note = notes__number(context->notes, source->config->name, "", "", source->number * SOURCE_RANKS)};

	memset(source->rejected, 0, sizeof(source->rejected));
	source->surplus = 0;
	for (size_t i = 0; i < found->count; i++) {
		if (decision__is_short(&found->all[i], context->sync)) {
			source->rejected[FLEET_SHORT]++;
			continue;
		}
		if (records->count == context->most) {
			source->surplus++;
			continue;
		}
		record.id = i + 1;
		record.prefix = found->all[i];
		if (said__add(records, &record))
			return -1;
	}
	return 0;
}

/* 0, also where it is doubted: the list as it was stays then. */
static int replace_all(struct shared_source *source, const struct source_context *context, struct prefixes *found,
		       unsigned bad, bool *changed)
{
	struct said records = {};
	size_t before = source->said.count;

	prefixes__reduce(found, SIZE_MAX);
	if (found->count)
		qsort(found->all, found->count, sizeof(*found->all), by_order);
	if (source__doubts(source, context, count_missing(&source->said, found), before))
		return 0;
	if (fill(source, context, found, &records)) {
		said__free(&records);
		snprintf(source->why, sizeof(source->why), "out of memory");
		return -1;
	}
	source->rejected[FLEET_SYNTAX] = bad;
	said__free(&source->said);
	source->said = records;
	source__watch_rise(source, before, records.count > before ? records.count - before : 0);
	*changed = true;
	return 0;
}

static int read_body(struct shared_source *source, const struct source_context *context, bool *changed)
{
	struct prefixes found = {};
	const char *why = "out of memory";
	unsigned bad = 0;
	FILE *in;
	int err = -1;

	if (!source->size) {
		snprintf(source->why, sizeof(source->why), "its answer is empty");
		return -1;
	}
	in = fmemopen(source->text, source->size, "r");
	if (in && list_file__read_stream(in, source->config->name, &found, &bad, &why) == 0)
		err = replace_all(source, context, &found, bad, changed);
	else
		snprintf(source->why, sizeof(source->why), "its answer is not taken: %s", why);
	if (in)
		fclose(in);
	prefixes__free(&found);
	return err;
}

int list__answered(struct shared_source *source, const struct source_context *context, bool *changed)
{
	const struct pull *pull = &source->pull;
	int err = -1;

	if (fclose(source->body) == 0 && pull->end == PULL_WHOLE) {
		if (pull->status == HTTP_OK)
			err = read_body(source, context, changed);
		else if (pull->status == HTTP_NOT_CHANGED)
			err = source->is_doubted = 0;
		else if (!*source->why)
			snprintf(source->why, sizeof(source->why), "HTTP %ld", pull->status);
	} else if (source->is_too_long) {
		snprintf(source->why, sizeof(source->why), "its answer is longer than %d MiB", BODY_MAX >> 20);
	}
	if (!err && pull->status == HTTP_OK && !source->is_doubted) {
		strcpy(source->etag, pull->etag);
		strcpy(source->modified, pull->modified);
	}
	source->body = NULL;
	free(source->text);
	source->text = NULL;
	return err;
}

int list__read(struct shared_source *source, const struct source_context *context, bool *changed)
{
	const char *path = source->config->options.file, *why;
	struct prefixes found = {};
	struct stat st;
	unsigned bad;
	int err;

	if (stat(path, &st)) {
		snprintf(source->why, sizeof(source->why), "%s: %s", path, strerror(errno));
		source->changed = (struct timespec){};
		return -1;
	}
	if (st.st_ctim.tv_sec == source->changed.tv_sec && st.st_ctim.tv_nsec == source->changed.tv_nsec &&
	    !source->is_doubted)
		return source->failures ? -1 : 0;
	source->changed = st.st_ctim;
	err = list_file__read(path, &found, &bad, &why);
	if (err)
		snprintf(source->why, sizeof(source->why), "%s is not taken: %s", path, why);
	else
		err = replace_all(source, context, &found, bad, changed);
	if (err && !bad) /* that may pass; bad lines do not */
		source->changed = (struct timespec){};
	prefixes__free(&found);
	return err;
}
