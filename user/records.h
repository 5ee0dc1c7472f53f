/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What streams and lists tell, as JSON objects, each with a newline: the same on the command line and over HTTP. The
 * path of an owner's cgroup is looked up in a cache of the process: not for two threads at once.
 */
#ifndef SYNWARDEN_RECORDS_H
#define SYNWARDEN_RECORDS_H

#include <stdbool.h>
#include <stdio.h>

#include "types.h"

void records__transition(FILE *out, const struct event *event, uint64_t realtime_ns);
/* One that has ended says how; one that lives (ENDING_NONE), whether it existed before the tracker looked. */
void records__connection(FILE *out, const struct life *life, uint64_t realtime_ns);
void records__lost(FILE *out, const char *stage, uint64_t lost);
/* left_ns is the rest of its lifetime; 0: it has none. */
void records__list_entry(FILE *out, const char *list, const struct prefix *prefix, uint64_t left_ns);

/* The duration of life->event becomes that of the whole life, rather than of the last state. */
void records__whole_life(struct life *life);

bool records__has_counts(const struct life *life); /* of bytes */
bool records__has_retransmits(const struct life *life);
const char *records__closer(const struct life *life); /* "local", "remote"; NULL: not known */

#endif
