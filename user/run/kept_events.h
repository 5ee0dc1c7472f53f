/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of events of a `run`, kept in a file beside the lists, so that `synwarden events` tells of what happened
 * before a restart, an upgrade or a reboot. `run` alone writes it, at most once in three seconds, on a slow disk
 * less often.
 */
#ifndef SYNWARDEN_RUN_KEPT_EVENTS_H
#define SYNWARDEN_RUN_KEPT_EVENTS_H

#include <stdbool.h>

#include "kernel/snapshot.h"
#include "output/event_log.h"
#include "system/state_folder.h"

struct kept_events {
	const struct state_folder *folder;
	struct event_log *log;
	uint64_t saved;	   /* event_log__revision() of what the file has */
	uint64_t saved_ns; /* CLOCK_MONOTONIC of the last attempt; 0: there was none */
	uint64_t took_ns;  /* the last attempt */
	bool failed;	   /* the last attempt */
	bool follows;	   /* `losses` are known */
	uint64_t losses[LOSS_MAX];
	struct log_event lost[LOSS_MAX]; /* the last event of each, while more losses are added to it */
};

/*
 * Reads what the folder has. What is damaged is set aside after an error, and a new log begun. `folder` stays, and may
 * be one that is not open: events are in memory alone then. -1: no memory, after a message.
 */
int kept_events__open(struct kept_events *kept, const struct state_folder *folder);
/* Adds an event of now; see event_log__event(). Does nothing before it is open. */
void kept_events__note(struct kept_events *kept, enum event_kind kind, uint32_t flags, const char *detail);
/* Once a second: notes losses, forgets what is old, and saves. */
void kept_events__follow(struct kept_events *kept, const struct snapshot *snapshot);
/* Saves what has changed, at once. */
void kept_events__save(struct kept_events *kept);
void kept_events__close(struct kept_events *kept);

#endif
