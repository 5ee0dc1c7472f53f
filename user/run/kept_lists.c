// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line an entry, "block 192.0.2.0/24 command 59000000000": list, prefix, origin, nanoseconds left (0: until removed).
 * The first line dates them, by the monotonic clock of a boot and by the wall clock: within the boot only the former
 * counts, so that a step of the latter changes no lifetime.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/cidr.h"
#include "config/lines.h"
#include "config/list_sources.h"
#include "kernel/lists.h"
#include "run/kept_lists.h"
#include "system/clock.h"
#include "system/netns.h"
#include "text/address.h"
#include "text/log.h"

#define STATE_DIR "/var/lib/synwarden"
#define FORMAT	  "synwarden-lists-1"
#define BOOT_LEN  40
#define LINE_LEN  256
#define WORDS	  "abcdefghijklmnopqrstuvwxyz0123456789.:/- " /* what messages quote */

/* systemd names the folder that it has made; where it names several, the first is ours. */
static void find_folder(char path[], size_t size)
{
	const char *given = getenv("STATE_DIRECTORY");

	snprintf(path, size, "%.*s", given && *given == '/' ? (int)strcspn(given, ":") : (int)strlen(STATE_DIR),
		 given && *given == '/' ? given : STATE_DIR);
}

void kept_lists__open(struct kept_lists *kept)
{
	char folder[256], name[NETNS_NAME_LEN];

	*kept = (struct kept_lists){.dir = -1};
	if (!netns__name(name)) {
		log_notice("entries made by commands end with this run: they are kept in the initial network namespace "
			   "and in "
			   "those that ip netns names");
		return;
	}
	find_folder(folder, sizeof(folder));
	if (mkdir(folder, 0700) && errno != EEXIST)
		goto fail;
	kept->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kept->dir < 0)
		goto fail;
	snprintf(kept->path, sizeof(kept->path), "%s/%s%s.lists", folder, *name ? "netns-" : "host", name);
	kept->name = strrchr(kept->path, '/') + 1;
	return;
fail:
	log_warn("entries made by commands end with this run: cannot use %s: %s", folder, strerror(errno));
}

static void read_boot(char boot[BOOT_LEN])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	strcpy(boot, "unknown");
	if (file && fscanf(file, "%39s", boot) != 1)
		strcpy(boot, "unknown");
	if (file)
		fclose(file);
}

/* How long ago the file was written, in ns; 0 where the clock stands before that. -1: the line is no first line. */
static int read_age(const char *line, uint64_t *age_ns)
{
	char boot[BOOT_LEN], boot_now[BOOT_LEN];
	uint64_t monotonic, wall, now;
	int end = 0;

	read_boot(boot_now);
	if (sscanf(line, FORMAT " %39s %" SCNu64 " %" SCNu64 "%n", boot, &monotonic, &wall, &end) != 3 || line[end])
		return -1;
	if (!strcmp(boot, boot_now) && strcmp(boot, "unknown") != 0) {
		now = clock__now();
		wall = monotonic;
	} else {
		now = clock__ns(CLOCK_REALTIME);
	}
	*age_ns = now > wall ? now - wall : 0;
	return 0;
}

struct reader {
	const struct maps *maps;
	const struct settings *settings;
	struct lines lines;
	uint64_t age_ns;
	unsigned restored;
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
	int end = 0;

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
	if (lists__restore(reader->maps, list, &prefix, left_ns ? left_ns - reader->age_ns : 0, origins) == 0)
		reader->restored++;
	return 0;
}

void kept_lists__restore(struct kept_lists *kept, const struct maps *maps, const struct settings *settings)
{
	struct reader reader = {.maps = maps, .settings = settings};
	char line[LINE_LEN], quoted[LINES_QUOTE_LEN];
	unsigned errors = 0;
	const char *why;

	if (kept->dir < 0 || faccessat(kept->dir, kept->name, F_OK, 0))
		return;
	if (lines__open(&reader.lines, kept->path, &errors, &why)) {
		log_error("the entries that commands made are not restored: %s: %s", kept->path, why);
		return;
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

static int write_all(FILE *out, const struct maps *maps)
{
	char boot[BOOT_LEN];

	read_boot(boot);
	fprintf(out, FORMAT " %s %" PRIu64 " %" PRIu64 "\n", boot, clock__now(), clock__ns(CLOCK_REALTIME));
	for (enum list list = 0; list < LIST_MAX; list++) {
		struct writer writer = {out, lists__name(list)};

		if (lists__each(maps, list, write_entry, &writer))
			return -1;
	}
	return fflush(out) || ferror(out) || fsync(fileno(out)) ? -1 : 0;
}

/* Whole or not at all: it is written beside the former one, and then takes its place. */
static int replace(const struct kept_lists *kept, const struct maps *maps)
{
	char new[NETNS_NAME_LEN + 32];
	FILE *out = NULL;
	int fd, err;

	snprintf(new, sizeof(new), "%s.new", kept->name);
	fd = openat(kept->dir, new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !(out = fdopen(fd, "w"))) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	err = write_all(out, maps);
	if (fclose(out) || err || renameat(kept->dir, new, kept->dir, kept->name) || fsync(kept->dir))
		return -1;
	return 0;
}

void kept_lists__save(struct kept_lists *kept, const struct maps *maps)
{
	uint64_t mark = lists__mark(maps);

	if (kept->dir < 0 || mark == kept->saved)
		return;
	if (replace(kept, maps)) {
		if (!kept->failed)
			log_error("cannot save the lists in %s: %s; it is tried again every second", kept->path,
				  strerror(errno));
		kept->failed = true;
		return;
	}
	if (kept->failed)
		log_notice("the lists are saved in %s again", kept->path);
	kept->failed = false;
	kept->saved = mark;
}

void kept_lists__close(struct kept_lists *kept)
{
	if (kept->dir >= 0)
		close(kept->dir);
	kept->dir = -1;
}
