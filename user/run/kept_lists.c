// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line an entry, "block 192.0.2.0/24 command 59000000000": list, prefix, origin, nanoseconds left (0: until removed).
 * The first line dates them, by the monotonic clock of a boot and by the wall clock: within the boot only the former
 * counts, so that a step of the latter changes no lifetime.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/cidr.h"
#include "config/lines.h"
#include "config/list_sources.h"
#include "kernel/lists.h"
#include "run/kept_lists.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"

#define KIND	 "lists"
#define FORMAT	 "synwarden-lists-1"
#define LINE_LEN 256
#define WORDS	 "abcdefghijklmnopqrstuvwxyz0123456789.:/- " /* what messages quote */

void kept_lists__open(struct kept_lists *kept, const struct state_folder *folder)
{
	*kept = (struct kept_lists){.folder = folder};
	state_folder__path(kept->path, folder, KIND);
}

/* How long ago the file was written, in ns; 0 where the clock stands before that. -1: the line is no first line. */
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

struct reader {
	const struct list_set *set;
	const struct settings *settings;
	struct lines lines;
	uint64_t age_ns;
	unsigned restored;
	size_t left_out[LIST_MAX]; /* as there was no room */
};

static int parse_origin(const char *text, unsigned *origins)
{
	static const struct {
		const char *name;
		unsigned origins;
	} names[] = {{"command", LIST_BY_COMMAND}, {"file", LIST_BY_FILE}, {"both", LIST_BY_COMMAND | LIST_BY_FILE}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, text)) {
			*origins = names[i].origins;
			return 0;
		}
	return -1;
}

/* -1: the line is none of this format. */
static int restore_entry(struct reader *reader, const char *line)
{
	char list_name[8], cidr[PRINT_PREFIX_LEN], origin[16];
	struct prefix prefix;
	uint64_t left_ns;
	unsigned origins;
	const char *why;
	enum list list;
	int end = 0, ret;

	if (sscanf(line, "%7s %49s %15s %" SCNu64 "%n", list_name, cidr, origin, &left_ns, &end) != 4 || line[end] ||
	    parse_cidr(cidr, &prefix, &why) || parse_origin(origin, &origins))
		return -1;
	list = strcmp(list_name, lists__name(LIST_ALLOW)) ? LIST_BLOCK : LIST_ALLOW;
	if (strcmp(list_name, lists__name(list)) != 0)
		return -1;
	if (list_sources__are_known(reader->settings, list))
		origins &= ~LIST_BY_FILE;
	if (!origins || (left_ns && left_ns <= reader->age_ns))
		return 0;
	ret = lists__restore(reader->set, list, &prefix, left_ns ? left_ns - reader->age_ns : 0, origins);
	reader->restored += ret == 0;
	reader->left_out[list] += ret > 0;
	return 0;
}

/* Whether some of what the file has had no room; says so. */
static bool leaves_out(const struct kept_lists *kept, const struct reader *reader)
{
	char whose[STATE_PATH_LEN + 8];
	bool some = false;

	snprintf(whose, sizeof(whose), " of %s", kept->path);
	for (enum list list = 0; list < LIST_MAX; list++)
		if (reader->left_out[list]) {
			lists__say_left_out(reader->set, list, whose, reader->left_out[list]);
			some = true;
		}
	return some;
}

int kept_lists__restore(struct kept_lists *kept, const struct list_set *set, const struct settings *settings)
{
	struct reader reader = {.set = set, .settings = settings};
	char line[LINE_LEN], quoted[LINES_QUOTE_LEN];
	unsigned errors = 0;
	const char *why;

	if (kept->folder->fd < 0 || access(kept->path, F_OK))
		return 0;
	if (lines__open(&reader.lines, kept->path, &errors, &why)) {
		log_error("the entries that commands made are not restored: %s: %s", kept->path, why);
		return 0;
	}
	if (!lines__next(&reader.lines, line, sizeof(line)) || read_age(line, &reader.age_ns)) {
		log_error("the entries that commands made are not restored: %s is of another format", kept->path);
		goto cleanup;
	}
	while (lines__next(&reader.lines, line, sizeof(line)))
		if (restore_entry(&reader, line))
			lines__error(&reader.lines, reader.lines.line, "%s is no entry of a list",
				     lines__quote(quoted, line, WORDS));
	if (reader.restored)
		log_notice("%u list entries are restored from %s", reader.restored, kept->path);
cleanup:
	lines__close(&reader.lines);
	return leaves_out(kept, &reader) ? -1 : 0;
}

struct writer {
	FILE *out;
	const char *list;
};

static void write_entry(void *context, const struct prefix *prefix, uint64_t left_ns, unsigned origins)
{
	static const char *const names[] = {"command", "command", "file", "both"};
	const struct writer *writer = context;
	char text[PRINT_PREFIX_LEN];

	fprintf(writer->out, "%s %s %s %" PRIu64 "\n", writer->list, print_prefix(text, prefix),
		names[origins & (LIST_BY_COMMAND | LIST_BY_FILE)], left_ns);
}

static int write_all(FILE *out, const void *context)
{
	const struct list_set *set = context;
	char boot[STATE_BOOT_LEN];

	state_folder__boot(boot);
	fprintf(out, FORMAT " %s %" PRIu64 " %" PRIu64 "\n", boot, clock__now(), clock__ns(CLOCK_REALTIME));
	for (enum list list = 0; list < LIST_MAX; list++) {
		struct writer writer = {out, lists__name(list)};

		if (lists__each(set, list, write_entry, &writer))
			return -1;
	}
	return 0;
}

void kept_lists__save(struct kept_lists *kept, const struct list_set *set)
{
	uint64_t changes = __atomic_load_n(&set->control->changes, __ATOMIC_ACQUIRE);

	if (kept->folder->fd < 0 || changes == kept->saved)
		return;
	if (state_folder__replace(kept->folder, KIND, write_all, set)) {
		if (!kept->failed)
			log_error("cannot save the lists in %s: %s; it is tried again every second", kept->path,
				  strerror(errno));
		kept->failed = true;
		return;
	}
	if (kept->failed)
		log_notice("the lists are saved in %s again", kept->path);
	kept->failed = false;
	kept->saved = changes;
}
