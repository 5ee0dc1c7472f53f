/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has happened to this host's filter: attacks with their figures, ports that were armed, interfaces that went and
 * came, reloads, restarts, losses. EVENT_LOG_MAX of the last week at most, in memory, for several threads; event_file.h
 * has them as a file, event_show.h as text and JSON.
 */
#ifndef SYNWARDEN_OUTPUT_EVENT_LOG_H
#define SYNWARDEN_OUTPUT_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_LOG_MAX	 1024
#define EVENT_KEPT_S	 (7 * 86400)
#define EVENT_STEPS	 60 /* of a port's SYNs over time */
#define EVENT_DETAIL_LEN 64

/*
 * Kinds of events. Rows: enum name, name in the file and in JSON, JSON name of `detail` ("": it has none), the text
 * where it is about no port, with the detail for %s.
 */
#define EVENT_KINDS(X)                                                                                                 \
	X(ATTACK, "attack", "", "")                                                                                    \
	X(ARMED, "armed", "", "")                                                                                      \
	X(STARTED, "started", "version", "synwarden %s began to filter")                                               \
	X(STOPPED, "stopped", "version", "synwarden %s ended")                                                         \
	X(RELOADED, "reloaded", "file", "%s is read again and in force")                                               \
	X(REFUSED, "reload_refused", "file", "%s is refused: what was in force stays")                                 \
	X(GONE, "interface_gone", "interface", "%s is gone: not filtered")                                             \
	X(BACK, "interface_back", "interface", "%s is filtered again")                                                 \
	X(LOST, "lost", "stage", "%s: ")

enum event_kind {
#define X(name, ...) EVENT_##name,
	EVENT_KINDS(X)
#undef X
		EVENT_KIND_MAX,
};

/* Bits of `flags`. Rows: enum name, bit, JSON name. */
#define EVENT_FLAGS(X)                                                                                                 \
	X(ONGOING, 1, "ongoing")	 /* the port is armed still */                                                 \
	X(INTERRUPTED, 2, "interrupted") /* the recording ended first: the figures are those up to then */             \
	X(DRY_RUN, 4, "dry_run")	 /* all passed: challenges and drops are those that would have been */         \
	X(TOOK_OVER, 8, "took_over")	 /* a start: the filter of a former run went on meanwhile */

enum event_flag {
#define X(name, bit, ...) EVENT_##name = (bit),
	EVENT_FLAGS(X)
#undef X
};

/* Counters of a listening port, PORT_COUNTERS, that are kept of an attack: by how much they rose. */
#define EVENT_COUNTERS(X)                                                                                              \
	X(syns)                                                                                                        \
	X(passed)                                                                                                      \
	X(challenged)                                                                                                  \
	X(answered)                                                                                                    \
	X(not_served)                                                                                                  \
	X(dropped)                                                                                                     \
	X(completed)                                                                                                   \
	X(listen_drops)

/*
 * Numbers of an event; 0: has none. An attack begins when its port is armed, and lasts until the last second with more
 * SYNs than half the budget; its counters and rates are of that time, and a rate is that of a whole second.
 */
#define EVENT_NUMBERS(X)                                                                                               \
	X(port)                                                                                                        \
	X(budget)	    /* SYN/s, when it was armed */                                                             \
	X(duration_ms)	    /* of the attack; of losses from the first to the last, of one port or stage */            \
	X(released_ms)	    /* how long after its beginning the port was released */                                   \
	X(peak_syn_rate)    /* SYN/s in its busiest second */                                                          \
	X(average_syn_rate) /* SYN/s */                                                                                \
	X(distinct_sources) /* an estimate; 0: unknown, no estimator was free */                                       \
	X(count)	    /* of losses */                                                                            \
	X(step_seconds)	    /* what one of `steps` counts: 60 s, or 120 s, 240 s ... of a long attack */               \
	EVENT_COUNTERS(X)

struct log_event {
	uint32_t kind;	    /* enum event_kind */
	uint32_t flags;	    /* of enum event_flag */
	uint64_t id;	    /* from 1, in the order of their beginning; also over restarts */
	uint64_t time_ns;   /* CLOCK_REALTIME at which it began */
	int64_t started_ns; /* the same by CLOCK_MONOTONIC; below 0: before this boot */
#define X(name) uint64_t name;
	EVENT_NUMBERS(X)
#undef X
	uint64_t steps[EVENT_STEPS]; /* SYNs of each `step_seconds` from the beginning on */
	char detail[EVENT_DETAIL_LEN];
};

struct event_log;

/* NULL: no memory, after a message. */
struct event_log *event_log__make(void);
void event_log__free(struct event_log *log);

/* A new event of this moment, without numbers. `detail` may be NULL; of it, printable ASCII is kept. */
struct log_event event_log__event(enum event_kind kind, uint32_t flags, const char *detail);
/*
 * Gives it its number, and keeps it. Where there is no room the oldest one goes that is over: of a port that was armed
 * without an attack, if there is one. Returns the number.
 */
uint64_t event_log__add(struct event_log *log, struct log_event *event);
/* Puts back one that was kept, as it is, with its number. -1: that is not above the last one's. */
int event_log__restore(struct event_log *log, const struct log_event *event);
/* Replaces the one of this number, if it is still kept. */
void event_log__change(struct event_log *log, const struct log_event *event);
/*
 * Forgets those that have been over for a week, by a clock that nobody sets, without the time between boots. One that
 * goes on stays.
 */
void event_log__expire(struct event_log *log, uint64_t monotonic_ns);
void event_log__clear(struct event_log *log);
/* Changes with every change of what is kept. */
uint64_t event_log__revision(struct event_log *log);
/* The oldest first, or the last one first; until `each` returns false. It must not use the log. */
void event_log__each(struct event_log *log, bool last_first, bool (*each)(void *context, const struct log_event *event),
		     void *context);

/* CLOCK_REALTIME at which it was over; where it goes on, as far as is known. */
uint64_t event_log__end_ns(const struct log_event *event);
/* How many `steps` there are: none behind them has SYNs. */
size_t event_log__steps(const struct log_event *event);
/* Adds SYNs that came so many seconds after the beginning; the steps become longer where they do not reach. */
void event_log__add_step(struct log_event *event, uint64_t second, uint64_t syns);

const char *event_log__kind_name(unsigned kind);

#endif
