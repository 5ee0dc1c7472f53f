// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of what is known. The first line dates it, by the monotonic clock of a boot and by the wall clock, as in
 * run/kept_lists.c: ends are written as what was left of them. The last line says how many entries there are: a file
 *that was cut is not believed, as the last of its lines could be half an address.
 *
 *	synwarden-sync-1 BOOT MONOTONIC_NS REALTIME_NS
 *	note NUMBER SOURCE<tab>ORIGIN<tab>SCENARIO
 *	source NAME HAS_IDS LAST_SUCCESS_S LEFT_NS LIMITS VERB PLACE	of a source that is configured
 *	server ADDRESS, etag TEXT, modified TEXT		of that source
 *	entry ID CIDR LEFT_NS NOTE				the same; LEFT_NS 0: with its source
 *	end ENTRIES
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/cidr.h"
#include "config/lines.h"
#include "sync/sync.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"

#define KIND	   "fleet"
#define FORMAT	   "synwarden-sync-1"
#define LINE_LEN   512
#define LIMITS_LEN 40
#define SAVE_NS	   NS_PER_S /* at most so often, */
#define ENTRY_NS   400000   /* and seldomer the more there is: with 131,072 entries, 5 MB, once in 53 s */

struct reader {
	struct sync *sync;
	struct lines lines;
	uint64_t age_ns;
	uint32_t notes[NOTES_MAX];    /* by the file's numbers; NOTES_MAX: entries with it are no longer asked for */
	struct shared_source *source; /* NULL: what follows is of none that is configured so */
	bool has_limits;	      /* those of the configuration */
	size_t entries;
	bool is_ended;
};

/* How long ago the file was written, in ns; 0 where the clock stands before that. -1: it is of another format. */
static int read_age(const char *line, uint64_t *age_ns)
{
	uint64_t monotonic, wall;
	char boot[STATE_BOOT_LEN];
	int end = 0;

	if (sscanf(line, FORMAT " %39s %" SCNu64 " %" SCNu64 "%n", boot, &monotonic, &wall, &end) != 3 || line[end])
		return -1;
	*age_ns = state_folder__age(boot, monotonic, wall);
	return 0;
}

static int read_note(struct reader *reader, const char *line)
{
	struct fleet_origin text = {};
	unsigned number;

	/* An empty origin ends the scan: only a list has one. */
	if (sscanf(line, "note %u %31[^\t]\t%31[^\t]\t%63[^\t]", &number, text.source, text.origin, text.scenario) <
		    2 ||
	    number >= NOTES_MAX)
		return -1;
	reader->notes[number] = sync__note(reader->sync, &text);
	return 0;
}

/* What is left of `left_ns`, as an end; 0: nothing. */
static uint64_t end_in(const struct reader *reader, uint64_t left_ns)
{
	return left_ns > reader->age_ns ? clock__now() + left_ns - reader->age_ns : 0;
}

/* "allow https://...": of another list, or from elsewhere, entries are not what they were. */
static const char *identity(char buf[LINE_LEN], const struct shared_source *source)
{
	const struct sync_source_options *options = &source->config->options;

	snprintf(buf, LINE_LEN, "%s %s", options->allows ? "allow" : "block", options->url ?: options->file);
	return buf;
}

/* What was left out by other limits would not come again with "not changed". */
static const char *limits(char buf[LIMITS_LEN], const struct sync *sync)
{
	const struct sync_options *options = sync->context.sync;

	snprintf(buf, LIMITS_LEN, "%u/%u/%u", options->max_entries, options->shortest, options->shortest6);
	return buf;
}

static int read_source(struct reader *reader, const char *line)
{
	char name[SYNC_NAME_LEN], had[LIMITS_LEN], has[LIMITS_LEN], place[LINE_LEN];
	uint64_t success_s, left_ns;
	unsigned has_ids;
	int end = 0;

	if (sscanf(line, "source %23s %u %" SCNu64 " %" SCNu64 " %39s %n", name, &has_ids, &success_s, &left_ns, had,
		   &end) != 5 ||
	    !end)
		return -1;
	reader->source = sync__find(reader->sync, name);
	if (reader->source && strcmp(identity(place, reader->source), line + end) != 0)
		reader->source = NULL;
	reader->has_limits = !strcmp(had, limits(has, reader->sync));
	if (reader->source) {
		reader->source->has_ids = has_ids;
		reader->source->succeeded_s = success_s;
		reader->source->ends_ns = left_ns ? end_in(reader, left_ns) ?: 1 : 0;
	}
	return 0;
}

static int read_server(struct reader *reader, const char *text)
{
	struct prefix prefix;
	const char *why;

	if (parse_cidr(text, &prefix, &why))
		return -1;
	return reader->source ? prefixes__add(&reader->source->servers, &prefix) : 0;
}

static int read_entry(struct reader *reader, const char *line)
{
	struct record record = {};
	char cidr[PRINT_PREFIX_LEN];
	uint64_t left_ns;
	unsigned note;
	const char *why;
	int end = 0;

	if (sscanf(line, "entry %" SCNu64 " %49s %" SCNu64 " %u%n", &record.id, cidr, &left_ns, &note, &end) != 4 ||
	    line[end] || note >= NOTES_MAX || parse_cidr(cidr, &record.prefix, &why))
		return -1;
	reader->entries++;
	record.note = reader->notes[note];
	record.ends_ns = left_ns ? end_in(reader, left_ns) : 0;
	if (!reader->source || record.note == NOTES_MAX || (left_ns && !record.ends_ns) ||
	    decision__is_short(&record.prefix, reader->sync->context.sync) ||
	    reader->source->said.count >= reader->sync->context.most)
		return 0;
	return said__add(&reader->source->said, &record);
}

static int read_line(struct reader *reader, const char *line)
{
	size_t count;

	if (reader->is_ended)
		return -1;
	if (!strncmp(line, "entry ", 6))
		return read_entry(reader, line);
	if (!strncmp(line, "note ", 5))
		return read_note(reader, line);
	if (!strncmp(line, "source ", 7))
		return read_source(reader, line);
	if (!strncmp(line, "server ", 7))
		return read_server(reader, line + 7);
	if (!strncmp(line, "etag ", 5) || !strncmp(line, "modified ", 9)) {
		if (reader->source && reader->has_limits)
			snprintf(*line == 'e' ? reader->source->etag : reader->source->modified, PULL_TAG_LEN, "%s",
				 strchr(line, ' ') + 1);
		return 0;
	}
	reader->is_ended = sscanf(line, "end %zu", &count) == 1 && count == reader->entries;
	return reader->is_ended ? 0 : -1;
}

static void forget(struct sync *sync)
{
	for (size_t i = 0; i < sync->source_count; i++) {
		struct shared_source *source = &sync->sources[i];

		said__free(&source->said);
		prefixes__free(&source->servers);
		source->has_ids = false;
		source->succeeded_s = source->ends_ns = 0;
		*source->etag = *source->modified = '\0';
	}
	notes__clear(&sync->notes);
}

/* NULL: it is sound. */
static const char *read_all(struct reader *reader)
{
	char line[LINE_LEN];

	if (!lines__next(&reader->lines, line, sizeof(line)) || read_age(line, &reader->age_ns))
		return "it is of another format";
	while (lines__next(&reader->lines, line, sizeof(line)))
		if (read_line(reader, line))
			return reader->is_ended ? "it goes on behind its end"
						: "it has a line that is none of its format";
	return reader->is_ended ? NULL : "it was cut";
}

bool sync__restore(struct sync *sync)
{
	struct reader reader = {.sync = sync};
	char path[STATE_PATH_LEN];
	unsigned errors = 0;
	const char *why;

	state_folder__path(path, &sync->folder, KIND);
	if (sync->folder.fd < 0 || access(path, F_OK))
		return false;
	for (size_t i = 0; i < NOTES_MAX; i++)
		reader.notes[i] = NOTES_MAX;
	reader.notes[0] = 0;
	if (!lines__open(&reader.lines, path, &errors, &why)) {
		why = read_all(&reader);
		lines__close(&reader.lines);
	}
	if (why) {
		log_error("what was known is not restored: %s: %s; the file is kept as %s.damaged", path, why, path);
		state_folder__set_aside(&sync->folder, KIND);
		forget(sync);
		return false;
	}
	for (size_t i = 0; i < sync->source_count; i++)
		said__sort(&sync->sources[i].said);
	log_notice("%zu entries are restored from %s", reader.entries, path);
	return true;
}

static uint64_t left(uint64_t ends_ns, uint64_t now_ns)
{
	return !ends_ns ? 0 : ends_ns > now_ns ? ends_ns - now_ns : 1;
}

static size_t write_source(FILE *out, const struct sync *sync, const struct shared_source *source, uint64_t now_ns)
{
	char text[PRINT_PREFIX_LEN], place[LINE_LEN], bounds[LIMITS_LEN];

	fprintf(out, "source %s %u %" PRIu64 " %" PRIu64 " %s %s\n", source->config->name, source->has_ids,
		source->succeeded_s, left(source->ends_ns, now_ns), limits(bounds, sync), identity(place, source));
	for (size_t i = 0; i < source->servers.count; i++)
		fprintf(out, "server %s\n", print_prefix(text, &source->servers.all[i]));
	if (*source->etag)
		fprintf(out, "etag %s\n", source->etag);
	if (*source->modified)
		fprintf(out, "modified %s\n", source->modified);
	for (size_t i = 0; i < source->said.count; i++) {
		const struct record *record = &source->said.all[i];

		fprintf(out, "entry %" PRIu64 " %s %" PRIu64 " %" PRIu32 "\n", record->id,
			print_prefix(text, &record->prefix), left(record->ends_ns, now_ns), record->note);
	}
	return source->said.count;
}

static int write_all(FILE *out, const void *context)
{
	const struct sync *sync = context;
	uint64_t now_ns = clock__now();
	char boot[STATE_BOOT_LEN];
	size_t entries = 0;

	state_folder__boot(boot);
	fprintf(out, FORMAT " %s %" PRIu64 " %" PRIu64 "\n", boot, now_ns, clock__ns(CLOCK_REALTIME));
	for (uint32_t i = 1; i < sync->notes.count; i++) {
		const struct fleet_origin *text = &sync->notes.all[i].text;

		fprintf(out, "note %" PRIu32 " %s\t%s\t%s\n", i, text->source, text->origin, text->scenario);
	}
	for (size_t i = 0; i < sync->source_count; i++)
		entries += write_source(out, sync, &sync->sources[i], now_ns);
	fprintf(out, "end %zu\n", entries);
	return ferror(out) ? -1 : 0;
}

void sync__save(struct sync *sync, bool now)
{
	char path[STATE_PATH_LEN];
	size_t entries = 0;

	if (sync->folder.fd < 0 || !sync->is_unsaved || (!now && clock__now() < sync->save_next_ns))
		return;
	if (state_folder__replace(&sync->folder, KIND, write_all, sync))
		log_error("cannot save what is known in %s: %s; it is tried again",
			  state_folder__path(path, &sync->folder, KIND), strerror(errno));
	else
		sync->is_unsaved = false;
	for (size_t i = 0; i < sync->source_count; i++)
		entries += sync->sources[i].said.count;
	sync->save_next_ns = clock__now() + SAVE_NS + entries * ENTRY_NS;
}
