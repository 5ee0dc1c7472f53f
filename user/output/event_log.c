// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of events behind a lock: `run` adds, the endpoint's thread reads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/event_log.h"
#include "system/clock.h"
#include "text/log.h"

#define FIRST_STEP_SECONDS 60

struct event_log {
	pthread_mutex_t lock;
	uint64_t revision, last_id;
	size_t first, count;
	struct log_event events[EVENT_LOG_MAX];
};

static const char *const kind_names[] = {
#define X(name, text, ...) [EVENT_##name] = (text),
	EVENT_KINDS(X)
#undef X
};

const char *event_log__kind_name(unsigned kind)
{
	return kind_names[kind];
}

struct event_log *event_log__make(void)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (log)
		pthread_mutex_init(&log->lock, NULL);
	else
		log_error("cannot keep events: out of memory");
	return log;
}

void event_log__free(struct event_log *log)
{
	if (!log)
		return;
	pthread_mutex_destroy(&log->lock);
	free(log);
}

struct log_event event_log__event(enum event_kind kind, uint32_t flags, const char *detail)
{
	struct log_event event = {
		.kind = kind,
		.flags = flags,
		.time_ns = clock__ns(CLOCK_REALTIME),
		.started_ns = clock__now(),
	};

	snprintf(event.detail, sizeof(event.detail), "%s", detail ?: "");
	for (char *at = event.detail; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return event;
}

static struct log_event *at(struct event_log *log, size_t i)
{
	return &log->events[(log->first + i) % EVENT_LOG_MAX];
}

/* Those before it move up: mostly it is among the first. */
static void drop(struct event_log *log, size_t i)
{
	for (; i > 0; i--)
		*at(log, i) = *at(log, i - 1);
	log->first = (log->first + 1) % EVENT_LOG_MAX;
	log->count--;
	log->revision++;
}

static bool is_over(const struct log_event *event)
{
	return !(event->flags & EVENT_ONGOING);
}

/* Ports that arm again and again push out no attack; one that goes on stays, as it has yet to be changed. */
static size_t find_dispensable(struct event_log *log)
{
	size_t oldest = log->count;

	for (size_t i = 0; i < log->count; i++) {
		if (is_over(at(log, i)) && at(log, i)->kind == EVENT_ARMED)
			return i;
		if (is_over(at(log, i)) && oldest == log->count)
			oldest = i;
	}
	return oldest < log->count ? oldest : 0;
}

static void put(struct event_log *log, const struct log_event *event)
{
	if (log->count == EVENT_LOG_MAX)
		drop(log, find_dispensable(log));
	*at(log, log->count++) = *event;
	log->last_id = event->id;
	log->revision++;
}

uint64_t event_log__add(struct event_log *log, struct log_event *event)
{
	pthread_mutex_lock(&log->lock);
	event->id = log->last_id + 1;
	put(log, event);
	pthread_mutex_unlock(&log->lock);
	return event->id;
}

int event_log__restore(struct event_log *log, const struct log_event *event)
{
	int ret = -1;

	pthread_mutex_lock(&log->lock);
	if (event->id > log->last_id) {
		put(log, event);
		ret = 0;
	}
	pthread_mutex_unlock(&log->lock);
	return ret;
}

/* Numbers rise, but need not be without gaps. */
static struct log_event *find(struct event_log *log, uint64_t id)
{
	for (size_t i = log->count; i-- > 0 && at(log, i)->id >= id;)
		if (at(log, i)->id == id)
			return at(log, i);
	return NULL;
}

void event_log__change(struct event_log *log, const struct log_event *event)
{
	struct log_event *kept;

	pthread_mutex_lock(&log->lock);
	kept = find(log, event->id);
	if (kept) {
		*kept = *event;
		log->revision++;
	}
	pthread_mutex_unlock(&log->lock);
}

/* Numbers from a file may be anything: they may pass 2^64. */
static bool is_old(const struct log_event *event, uint64_t monotonic_ns)
{
	uint64_t ended_ns = (uint64_t)event->started_ns + event->duration_ms * NS_PER_MS;

	return (int64_t)(monotonic_ns - ended_ns) > EVENT_KEPT_S * (int64_t)NS_PER_S;
}

void event_log__expire(struct event_log *log, uint64_t monotonic_ns)
{
	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->count;) {
		if (is_over(at(log, i)) && is_old(at(log, i), monotonic_ns))
			drop(log, i);
		else
			i++;
	}
	pthread_mutex_unlock(&log->lock);
}

void event_log__clear(struct event_log *log)
{
	pthread_mutex_lock(&log->lock);
	log->count = 0;
	log->last_id = 0;
	log->revision++;
	pthread_mutex_unlock(&log->lock);
}

uint64_t event_log__revision(struct event_log *log)
{
	uint64_t revision;

	pthread_mutex_lock(&log->lock);
	revision = log->revision;
	pthread_mutex_unlock(&log->lock);
	return revision;
}

void event_log__each(struct event_log *log, bool last_first, bool (*each)(void *context, const struct log_event *event),
		     void *context)
{
	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->count; i++)
		if (!each(context, at(log, last_first ? log->count - 1 - i : i)))
			break;
	pthread_mutex_unlock(&log->lock);
}

uint64_t event_log__end_ns(const struct log_event *event)
{
	return event->time_ns + event->duration_ms * NS_PER_MS;
}

size_t event_log__steps(const struct log_event *event)
{
	size_t count = EVENT_STEPS;

	while (count && !event->steps[count - 1])
		count--;
	return count;
}

static void halve_steps(struct log_event *event)
{
	for (size_t i = 0; i < EVENT_STEPS / 2; i++)
		event->steps[i] = event->steps[2 * i] + event->steps[2 * i + 1];
	memset(&event->steps[EVENT_STEPS / 2], 0, EVENT_STEPS / 2 * sizeof(event->steps[0]));
	event->step_seconds *= 2;
}

void event_log__add_step(struct log_event *event, uint64_t second, uint64_t syns)
{
	if (!event->step_seconds)
		event->step_seconds = FIRST_STEP_SECONDS;
	while (second / event->step_seconds >= EVENT_STEPS)
		halve_steps(event);
	event->steps[second / event->step_seconds] += syns;
}
