/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of events as a file: a line of text an event, of numbers by name. Ages are by CLOCK_MONOTONIC, so that a step
 * of the wall clock loses no event; the time between two boots does not count.
 */
#ifndef SYNWARDEN_OUTPUT_EVENT_FILE_H
#define SYNWARDEN_OUTPUT_EVENT_FILE_H

#include <stdio.h>

#include "output/event_log.h"

#define EVENT_FILE_KIND	    "events" /* the file's name ends with it; see state_folder.h */
#define EVENT_FILE_LINE_LEN 2560

/* The whole log. -1: it could not be written. */
int event_file__write(FILE *out, struct event_log *log);
/*
 * Adds what the file has to an empty log. Events that went on when it was written are marked as interrupted where
 * `interrupted`. -1 where it cannot be read, or is damaged: *why says so, until the next call; the log is empty then.
 */
int event_file__read(struct event_log *log, const char *path, bool interrupted, const char **why);
/* Adds what the file of this network namespace has; `command` is named in messages. -1 after a message. */
int event_file__load(struct event_log *log, const char *command);

#endif
