// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first line names format, boot, time by CLOCK_MONOTONIC, and how many events follow. Each has a line: "ID KIND
 * FLAGS TIME AGE", ns since the epoch and ns before the file was written, then " NAME=NUMBER" for each that is not 0,
 * " steps=N,N,...", and " detail=" with what is left of the line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/ownership.h"
#include "output/event_file.h"
#include "system/clock.h"
#include "system/state_folder.h"
#include "text/log.h"

#define FORMAT	"synwarden-events-1"
#define AGE_MAX (1LL << 60) /* ns, 36 years; also how far a time may be ahead */

struct writer {
	FILE *out;
	uint64_t now_ns, count;
};

static bool count_event(void *context, const struct log_event *event)
{
	struct writer *writer = context;

	(void)event;
	writer->count++;
	return true;
}

static void write_steps(FILE *out, const struct log_event *event)
{
	size_t count = event_log__steps(event);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : " steps=", event->steps[i]);
}

static bool write_event(void *context, const struct log_event *event)
{
	struct writer *writer = context;

	fprintf(writer->out, "%" PRIu64 " %s %" PRIu32 " %" PRIu64 " %" PRId64, event->id,
		event_log__kind_name(event->kind), event->flags, event->time_ns,
		(int64_t)writer->now_ns - event->started_ns);
#define X(name)                                                                                                        \
	if (event->name)                                                                                               \
		fprintf(writer->out, " " #name "=%" PRIu64, event->name);
	EVENT_NUMBERS(X)
#undef X
	write_steps(writer->out, event);
	if (*event->detail)
		fprintf(writer->out, " detail=%s", event->detail);
	fputc('\n', writer->out);
	return !ferror(writer->out);
}

int event_file__write(FILE *out, struct event_log *log)
{
	struct writer writer = {.out = out, .now_ns = clock__now()};
	char boot[STATE_BOOT_LEN];

	state_folder__boot(boot);
	event_log__each(log, false, count_event, &writer);
	fprintf(out, FORMAT " %s %" PRIu64 " %" PRIu64 "\n", boot, writer.now_ns, writer.count);
	event_log__each(log, false, write_event, &writer);
	return ferror(out) ? -1 : 0;
}

struct reader {
	struct event_log *log;
	uint64_t now_ns, age_ns, count; /* age_ns: of the file */
	bool interrupted;
};

static int read_head(struct reader *reader, const char *line)
{
	char boot[STATE_BOOT_LEN];
	uint64_t written_ns;
	int end = 0;

	reader->now_ns = clock__now();
	if (sscanf(line, FORMAT " %39s %" SCNu64 " %" SCNu64 "%n", boot, &written_ns, &reader->count, &end) != 3 ||
	    line[end] || reader->count > EVENT_LOG_MAX)
		return -1;
	reader->age_ns = 0;
	if (state_folder__is_this_boot(boot) && written_ns < reader->now_ns)
		reader->age_ns = reader->now_ns - written_ns;
	return 0;
}

static int find_kind(const char *name, uint32_t *kind)
{
	for (*kind = 0; *kind < EVENT_KIND_MAX; ++*kind)
		if (!strcmp(event_log__kind_name(*kind), name))
			return 0;
	return -1;
}

/* Digits alone, up to `end` or a space. NULL: there is something else. */
static const char *read_number(const char *text, uint64_t *number, char end)
{
	char *after;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &after, 10);
	return !errno && (*after == end || *after == ' ' || !*after) ? after : NULL;
}

static const char *read_steps(const char *text, struct log_event *event)
{
	for (size_t i = 0; i < EVENT_STEPS; i++) {
		text = read_number(text, &event->steps[i], ',');
		if (!text || *text != ',')
			return text;
		text++;
	}
	return NULL;
}

static uint64_t *find_number(struct log_event *event, const char *name, size_t len)
{
#define X(number)                                                                                                      \
	if (len == strlen(#number) && !strncmp(name, #number, len))                                                    \
		return &event->number;
	EVENT_NUMBERS(X)
#undef X
	return NULL;
}

/* " NAME=VALUE" up to the end of the line. */
static int read_values(const char *text, struct log_event *event)
{
	while (text && *text == ' ') {
		const char *name = ++text, *value = strchr(name, '=');
		size_t len = value ? value - name : 0;
		uint64_t *number = find_number(event, name, len);

		if (!value)
			return -1;
		if (len == strlen("detail") && !strncmp(name, "detail", len)) {
			snprintf(event->detail, sizeof(event->detail), "%s", value + 1);
			return strlen(value + 1) < sizeof(event->detail) ? 0 : -1;
		}
		if (len == strlen("steps") && !strncmp(name, "steps", len))
			text = read_steps(value + 1, event);
		else
			text = number ? read_number(value + 1, number, ' ') : NULL;
	}
	return text && !*text ? 0 : -1;
}

static bool is_sound(const struct log_event *event, int64_t age_ns)
{
	uint32_t flags = 0;

#define X(name, ...) flags |= EVENT_##name;
	EVENT_FLAGS(X)
#undef X
	for (const char *at = event->detail; *at; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return !(event->flags & ~flags) && event->id <= INT64_MAX && event->time_ns <= INT64_MAX && age_ns > -AGE_MAX &&
	       age_ns < AGE_MAX;
}

static int read_event(struct reader *reader, const char *line)
{
	struct log_event event = {};
	char kind[24];
	int64_t age_ns;
	int end = 0;

	if (sscanf(line, "%" SCNu64 " %23s %" SCNu32 " %" SCNu64 " %" SCNd64 "%n", &event.id, kind, &event.flags,
		   &event.time_ns, &age_ns, &end) != 5 ||
	    find_kind(kind, &event.kind) || read_values(line + end, &event) || !is_sound(&event, age_ns))
		return -1;
	event.started_ns = reader->now_ns - reader->age_ns - age_ns;
	if (reader->interrupted && event.flags & EVENT_ONGOING)
		event.flags = (event.flags & ~EVENT_ONGOING) | EVENT_INTERRUPTED;
	return event_log__restore(reader->log, &event);
}

static bool next_line(FILE *in, char line[EVENT_FILE_LINE_LEN])
{
	size_t len;

	if (!fgets(line, EVENT_FILE_LINE_LEN, in))
		return false;
	len = strlen(line);
	if (!len || line[len - 1] != '\n')
		return false; /* too long, cut, or with a zero byte */
	line[len - 1] = '\0';
	return true;
}

/* NULL, or why not. */
static const char *read_all(struct reader *reader, FILE *in)
{
	static _Thread_local char why[64];
	char line[EVENT_FILE_LINE_LEN];

	if (!next_line(in, line) || read_head(reader, line))
		return "it is of another format";
	for (uint64_t i = 0; i < reader->count; i++)
		if (!next_line(in, line) || read_event(reader, line)) {
			snprintf(why, sizeof(why), "line %" PRIu64 " is damaged", i + 2);
			return why;
		}
	return fgetc(in) == EOF ? NULL : "it is longer than its first line says";
}

int event_file__read(struct event_log *log, const char *path, bool interrupted, const char **why)
{
	struct reader reader = {.log = log, .interrupted = interrupted};
	static _Thread_local char unsafe[OWNERSHIP_LEN];
	FILE *in = fopen(path, "re");

	if (!in) {
		*why = strerror(errno);
		return -1;
	}
	if (!ownership__is_safe(unsafe, fileno(in), path) && ownership__is_strict())
		*why = unsafe;
	else
		*why = read_all(&reader, in);
	fclose(in);
	if (!*why)
		return 0;
	event_log__clear(log);
	return -1;
}

int event_file__load(struct event_log *log, const char *command)
{
	struct state_folder folder;
	char path[STATE_PATH_LEN];
	const char *why;

	if (!state_folder__find(&folder)) {
		log_error("%s: this network namespace has no name, and keeps no events; those of its run are at "
			  "/api/events of the HTTP endpoint",
			  command);
		return -1;
	}
	state_folder__path(path, &folder, EVENT_FILE_KIND);
	if (access(path, F_OK) && errno == ENOENT)
		return 0; /* nothing has happened yet */
	if (event_file__read(log, path, false, &why) == 0)
		return 0;
	log_error("%s: cannot read %s: %s; it needs root, and what is damaged is set aside by the next synwarden run",
		  command, path, why);
	return -1;
}
