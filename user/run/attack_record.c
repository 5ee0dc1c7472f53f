// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates are the kernel side's counts over the time between two readings of them, however late this process comes to it.
 */
#include <stdlib.h>

#include "run/attack_record.h"
#include "system/clock.h"
#include "text/log.h"

struct attack_record {
	struct event_log *log;
	struct log_event event;
	struct port_sample before; /* its counters are counted from here */
	uint64_t armed_ns;	   /* CLOCK_MONOTONIC */
};

void attack_record__sample(struct port_sample *sample, const struct port_view *port, uint64_t taken_ns)
{
	sample->taken_ns = taken_ns;
#define X(name) sample->name = port->name;
	EVENT_COUNTERS(X)
#undef X
}

uint64_t attack_record__rate(const struct port_sample *from, const struct port_sample *to)
{
	uint64_t ns = to->taken_ns - from->taken_ns;

	return from->taken_ns && ns ? (to->syns - from->syns) * NS_PER_S / ns : 0;
}

struct attack_record *attack_record__begin(struct event_log *log, const struct port_view *port, uint64_t armed_ns,
					   const struct port_sample *before, bool dry_run)
{
	struct attack_record *record = calloc(1, sizeof(*record));
	uint64_t ago_ns = clock__now() - armed_ns;

	if (!record) {
		log_error("the figures of port %u are not kept: out of memory", port->port);
		return NULL;
	}
	record->log = log;
	record->before = *before;
	record->armed_ns = armed_ns;
	record->event = event_log__event(EVENT_ARMED, EVENT_ONGOING | (dry_run ? EVENT_DRY_RUN : 0), NULL);
	record->event.time_ns -= ago_ns;
	record->event.started_ns -= ago_ns;
	record->event.port = port->port;
	record->event.budget = port->budget;
	event_log__add(log, &record->event);
	return record;
}

void attack_record__grow(struct attack_record *record, const struct port_sample *last, const struct port_sample *now)
{
	struct log_event *event;
	uint64_t rate;

	if (!record || now->taken_ns <= record->armed_ns)
		return;
	event = &record->event;
	rate = attack_record__rate(last, now);
	if (rate > event->peak_syn_rate)
		event->peak_syn_rate = rate;
	if (rate * 2 > event->budget) {
		uint64_t ms = (now->taken_ns - record->armed_ns) / NS_PER_MS;

#define X(name) event->name = now->name - record->before.name;
		EVENT_COUNTERS(X)
#undef X
		event->duration_ms = ms;
		event->average_syn_rate = event->syns * 1000 / (ms > 1000 ? ms : 1000);
	}
	event_log__add_step(event, (now->taken_ns - record->armed_ns) / NS_PER_S, now->syns - last->syns);
	event_log__change(record->log, event);
}

void attack_record__is_attack(struct attack_record *record)
{
	if (!record || record->event.kind == EVENT_ATTACK)
		return;
	record->event.kind = EVENT_ATTACK;
	event_log__change(record->log, &record->event);
}

void attack_record__count_sources(struct attack_record *record, uint64_t sources)
{
	if (record)
		record->event.distinct_sources = sources;
}

const struct log_event *attack_record__event(const struct attack_record *record)
{
	return record ? &record->event : NULL;
}

void attack_record__end(struct attack_record *record, uint64_t now_ns, bool interrupted)
{
	if (!record)
		return;
	record->event.flags = (record->event.flags & ~EVENT_ONGOING) | (interrupted ? EVENT_INTERRUPTED : 0);
	if (!interrupted)
		record->event.released_ms = (now_ns - record->armed_ns) / NS_PER_MS;
	event_log__change(record->log, &record->event);
	free(record);
}
