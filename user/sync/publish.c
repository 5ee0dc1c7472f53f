// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows of `fleet_sources`: `sync` writes them, `sync status` and the metrics read them, also once it is dead.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/sync.h"
#include "system/clock.h"
#include "text/json.h"
#include "text/log.h"
#include "text/print.h"

#define DEAD_NS	  (60 * NS_PER_S) /* behind its next request: `sync` does not run */
#define STATE_LEN 96

static bool stopped; /* no `sync` holds the lock */

static struct fleet_source row_of(const struct sync *sync, const struct shared_source *source)
{
	struct fleet_source row = {
		.last_success_s = source->succeeded_s,
		.last_try_ns = source->tried_ns,
		.next_ns = source->next_ns,
		.duration_ns = source->took_ns,
		.missed = source->missed,
		.up = !source__is_stale(source, clock__now()),
		.failures = source->failures,
	};

	snprintf(row.name, sizeof(row.name), "%s", source->config->name);
	snprintf(row.error, sizeof(row.error), "%.*s", (int)sizeof(row.error) - 1, source->why);
	memcpy(row.entries, sync->entries[source->number], sizeof(row.entries));
	memcpy(row.pulls, source->pulls, sizeof(row.pulls));
	memcpy(row.changes, sync->steps[source->number], sizeof(row.changes));
	memcpy(row.rejected, source->rejected, sizeof(row.rejected));
	return row;
}

void sync__publish(struct sync *sync)
{
	const struct fleet_source none = {};

	if (!sync->fleet || sync->flags->dry_run)
		return;
	for (unsigned i = 0; i < FLEET_SOURCES; i++) {
		struct fleet_source row = i < sync->source_count ? row_of(sync, &sync->sources[i]) : none;

		fleet_lists__set_source(sync->fleet, i, &row);
	}
}

static bool is_dead(const struct fleet_source *row)
{
	if (stopped)
		return true;
	return row->next_ns && clock__now() > row->next_ns + DEAD_NS && clock__now() > row->last_try_ns + 3 * DEAD_NS;
}

static void print_state(char text[STATE_LEN], const struct fleet_source *row)
{
	if (is_dead(row))
		snprintf(text, STATE_LEN, "sync does not run");
	else if (!row->failures)
		snprintf(text, STATE_LEN, "%s", row->up ? "fresh" : "not read yet");
	else
		snprintf(text, STATE_LEN, "%s: %s (%u)", row->up ? "failing" : "stale", row->error, row->failures);
}

static const char *const rejected_names[FLEET_REJECTED_MAX] = {
	[FLEET_FULL] = "full",	 [FLEET_PRIVATE] = "protected", [FLEET_SHORT] = "short",
	[FLEET_SCOPE] = "scope", [FLEET_TYPE] = "type",		[FLEET_SYNTAX] = "syntax",
};

static void print_rejected(char *text, size_t size, const struct fleet_source *row)
{
	*text = '\0';
	for (unsigned i = 0; i < FLEET_REJECTED_MAX; i++)
		if (row->rejected[i])
			print_append(text, size, "%s%llu %s", *text ? ", " : "", (unsigned long long)row->rejected[i],
				     rejected_names[i]);
	if (!*text)
		print_append(text, size, "-");
}

static char *print_since(char buf[PRINT_NUMBER_LEN], uint64_t ns, uint64_t now_ns)
{
	return print_duration(buf, ns ? (now_ns > ns ? now_ns - ns : 0) : DURATION_UNKNOWN);
}

static void print_row(const struct fleet_source *row)
{
	uint64_t now_s = clock__ns(CLOCK_REALTIME) / NS_PER_S, now_ns = clock__now();
	char state[STATE_LEN], rejected[128], last[PRINT_NUMBER_LEN], next[PRINT_NUMBER_LEN], count[PRINT_NUMBER_LEN],
		took[PRINT_NUMBER_LEN];

	print_state(state, row);
	print_rejected(rejected, sizeof(rejected), row);
	print_since(last, row->last_success_s * NS_PER_S, now_s * NS_PER_S);
	print_since(next, now_ns, row->next_ns > now_ns ? row->next_ns : now_ns);
	print_count(count, row->entries[LIST_ALLOW] + row->entries[LIST_BLOCK]);
	printf("%-16s  %-8s  %-8s  %9s  %-8s  %-24s  %s\n", row->name, last, next, count,
	       print_duration(took, row->duration_ns ?: DURATION_UNKNOWN), rejected, state);
}

static void print_json(const struct fleet_source *row)
{
	struct json json;

	json_begin(&json, stdout);
	json_string(&json, "source", row->name);
	json_bool(&json, "fresh", row->up && !is_dead(row));
	json_number(&json, "failures", row->failures);
	json_string(&json, "error", *row->error ? row->error : NULL);
	if (row->last_success_s)
		json_number(&json, "last_success_seconds", row->last_success_s);
	else
		json_null(&json, "last_success_seconds");
	json_number(&json, "block_entries", row->entries[LIST_BLOCK]);
	json_number(&json, "allow_entries", row->entries[LIST_ALLOW]);
	json_number(&json, "missed_by_deltas", row->missed);
	json_object(&json, "left_out");
	for (unsigned i = 0; i < FLEET_REJECTED_MAX; i++)
		json_number(&json, rejected_names[i], row->rejected[i]);
	json_close(&json, '}');
	json_micros(&json, "last_request_us", row->duration_ns ?: DURATION_UNKNOWN);
	json_end(&json);
}

static void print_head(void)
{
	printf("%-16s  %-8s  %-8s  %9s  %-8s  %-24s  %s\n", "SOURCE", "LAST", "NEXT", "ENTRIES", "TOOK", "LEFT OUT",
	       "STATE");
}

void sync__show(const struct sync *sync)
{
	print_head();
	for (size_t i = 0; i < sync->source_count; i++) {
		struct fleet_source row = row_of(sync, &sync->sources[i]);

		print_row(&row);
	}
}

/* The lock is held by a `sync` that keeps its state. */
static bool is_stopped(void)
{
	struct flock lock = {.l_type = F_WRLCK};
	struct state_folder folder;
	char path[STATE_PATH_LEN];
	int fd;

	if (!state_folder__find_in(&folder, SYNC_STATE_DIR))
		return false;
	fd = open(state_folder__path(path, &folder, SYNC_LOCK), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fcntl(fd, F_GETLK, &lock))
		lock.l_type = F_WRLCK;
	close(fd);
	return lock.l_type == F_UNLCK;
}

int sync__status(const struct sync_flags *flags)
{
	struct fleet_lists *fleet = NULL;
	struct fleet_source row;
	int ret = fleet_lists__open(&fleet, false);
	bool any = false;

	stopped = is_stopped();
	if (ret) {
		if (ret > 0)
			log_error("there are no fleet lists: no synwarden runs here with a [crowdsec] or [list NAME] "
				  "in its configuration file");
		return EXIT_FAILURE;
	}
	for (unsigned i = 0; i < FLEET_SOURCES; i++) {
		if (fleet_lists__source(fleet, i, &row) || !*row.name)
			continue;
		if (!any && !flags->json)
			print_head();
		any = true;
		if (!row.up || is_dead(&row))
			ret = EXIT_STALE;
		if (flags->json)
			print_json(&row);
		else
			print_row(&row);
	}
	fleet_lists__close(fleet);
	if (any)
		return ret;
	log_error("no synwarden sync has run since synwarden was started; fix: systemctl enable --now synwarden-sync");
	return EXIT_STALE;
}
