/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of streams and lists as JSON objects, each with a newline: the same on the command line and over HTTP. Paths
 * of cgroups come from a cache of the process: not thread-safe.
 */
#ifndef SYNWARDEN_OUTPUT_RECORDS_H
#define SYNWARDEN_OUTPUT_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "types.h"

void records__transition(FILE *out, const struct event *event, uint64_t realtime_ns);
/* A closed connection has its ending; an open one (ENDING_NONE) tells whether it is older than the tracker. */
void records__connection(FILE *out, const struct life *life, uint64_t realtime_ns);
void records__lost(FILE *out, const char *stage, uint64_t lost);
/* left_ns: time until the entry expires; 0: never. */
void records__list_entry(FILE *out, const char *list, const struct prefix *prefix, uint64_t left_ns, unsigned origins);
/* Where an entry comes from, bits of enum list_origin: "command", "file", "file and command". */
const char *records__list_origin(unsigned origins);

/* Sets the duration of life->event to that of the whole connection, instead of its last state. */
void records__whole_life(struct life *life);

bool records__has_counts(const struct life *life); /* of bytes */
bool records__has_retransmits(const struct life *life);
const char *records__closer(const struct life *life); /* "local", "remote"; NULL: unknown */

#endif
