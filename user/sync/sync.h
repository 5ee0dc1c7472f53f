/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a running `sync`, which share what is below.
 */
#ifndef SYNWARDEN_SYNC_SYNC_H
#define SYNWARDEN_SYNC_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "kernel/fleet_lists.h"
#include "sync/desired.h"
#include "sync/notes.h"
#include "sync/protected.h"
#include "sync/source.h"
#include "system/state_folder.h"

#define SYNC_STATE_DIR "/var/lib/synwarden-sync"
#define SYNC_USER      "synwarden-sync" /* that it becomes where there is one, and it was started as root */
#define SYNC_LOCK      "fleet-lock"	/* kind of the file in the state folder that the one that runs has locked */
#define EXIT_STALE     3

struct sync_flags {
	const char *config;
	const char *export;
	bool once, dry_run, force, json;
};

struct sync {
	const struct sync_flags *flags;
	struct settings *settings;
	struct source_context context;
	struct shared_source *sources;
	size_t source_count;
	struct notes notes;
	struct protected protected;
	struct fleet_lists *fleet;     /* NULL: no maps, in a dry run or for an export alone */
	struct desired held[LIST_MAX]; /* what the maps hold; `until_ns` as it is there */
	bool is_held_known[LIST_MAX];
	bool is_changed;   /* what a source says, or what is protected, since it was applied */
	bool is_full_told; /* that entries find no room */
	bool is_exported;  /* the block list as it is */
	uint64_t entries[SYNC_SOURCES_MAX][LIST_MAX];
	uint64_t steps[SYNC_SOURCES_MAX][4]; /* of struct fleet_source: `changes` */
	struct state_folder folder;
	int lock; /* the descriptor; -1: none */
	bool is_unsaved;
	uint64_t save_next_ns;
};

/* As the commands of cmd/cmd.h. */
int sync_command(int argc, char **argv);

/* NULL: there is none of this name. */
struct shared_source *sync__find(struct sync *sync, const char *name);
/* The number of a note as the configuration ranks it; NOTES_MAX: it no longer asks for what has it. */
uint32_t sync__note(struct sync *sync, const struct fleet_origin *text);

/* apply.c: brings the maps in step with what the sources say. 0, or -1 after a message: it is tried again. */
int sync__apply(struct sync *sync);

/* take_over.c: of a `sync` that starts without a state file, what the maps have is what is known. -1 after a message.
 */
int sync__take_over(struct sync *sync);

/* publish.c: what `status` and the metrics show of the sources. */
void sync__publish(struct sync *sync);
/* Prints it of this process. */
void sync__show(const struct sync *sync);
/* Prints what the running one has published; EXIT_STALE where a source is stale, or `sync` does not run. */
int sync__status(const struct sync_flags *flags);

/* export.c: writes the block list as a list file. */
void sync__export(struct sync *sync);

/* kept.c: the file of what is known, for the next start. */
void sync__open_state(struct sync *sync);
/* Whether there was a sound one. */
bool sync__restore(struct sync *sync);
/* Saves what has changed, no more often than it is worth; `now`: at once. */
void sync__save(struct sync *sync, bool now);

/* daemon.c: runs until a signal, or with --once until each source has been asked. The exit code. */
int sync__run(struct sync *sync);

#endif
