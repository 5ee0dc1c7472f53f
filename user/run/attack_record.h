/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of one port from its arming to its release, as an event of the log that grows with them.
 */
#ifndef SYNWARDEN_RUN_ATTACK_RECORD_H
#define SYNWARDEN_RUN_ATTACK_RECORD_H

#include "kernel/snapshot.h"
#include "output/event_log.h"

/* What the counters of a port were at a time; all zero: there is no such time. */
struct port_sample {
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
#define X(name) uint64_t name;
	EVENT_COUNTERS(X)
#undef X
};

struct attack_record;

void attack_record__sample(struct port_sample *sample, const struct port_view *port, uint64_t taken_ns);
/* SYN/s between two samples, by the time between them; 0 where there is none. */
uint64_t attack_record__rate(const struct port_sample *from, const struct port_sample *to);

/*
 * Of a port that was armed at `armed_ns` (CLOCK_MONOTONIC), counted from `before` on, a sample from before then. NULL:
 * no memory, after a message; every other function accepts that.
 */
struct attack_record *attack_record__begin(struct event_log *log, const struct port_view *port, uint64_t armed_ns,
					   const struct port_sample *before, bool dry_run);
/* Once a second while it is armed, with the last sample and the one before. */
void attack_record__grow(struct attack_record *record, const struct port_sample *last, const struct port_sample *now);
/* From now on it is an attack, whatever becomes of it. */
void attack_record__is_attack(struct attack_record *record);
/* Distinct sources since it was armed. */
void attack_record__count_sources(struct attack_record *record, uint64_t sources);
/* For messages; NULL without one. */
const struct log_event *attack_record__event(const struct attack_record *record);
/* The port was released at `now_ns`; or, where `interrupted`, it is not followed any more. */
void attack_record__end(struct attack_record *record, uint64_t now_ns, bool interrupted);

#endif
