// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the rings at intervals: a wake-up would cost the kernel side more than the event itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "stream/events.h"
#include "stream/rings.h"
#include "system/clock.h"
#include "text/log.h"

#define BATCH		 65536 /* events at once: signals, time and losses are looked at in between */
#define SWEEP_NS	 1000000000ULL
#define OFFSET_JITTER_NS 100000 /* a smaller change is jitter of the readings */

struct events {
	struct programs *programs;
	struct rings *rings;
	struct events_sink sink;
	int losses;
	uint64_t due_ns; /* of the last poll */
	uint64_t swept_ns;
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint64_t lost[LOSS_MAX];
};

int events__open(struct events **events, struct programs *programs, const struct events_sink *sink)
{
	struct events *e = calloc(1, sizeof(*e));
	int rings, slots;

	*events = NULL;
	if (!e) {
		log_error("cannot read events: %s", strerror(errno));
		return -1;
	}
	if (programs__rings(programs, &rings, &slots)) {
		if (rings__open(&e->rings, rings, slots)) {
			free(e);
			return -1;
		}
		programs__touch_rings(programs);
	}
	e->programs = programs;
	e->sink = *sink;
	e->losses = programs__maps(programs)->losses;
	*events = e;
	return 0;
}

static void report_losses(struct events *events)
{
	uint64_t values[libbpf_num_possible_cpus()], lost;
	int cpu;

	for (__u32 i = 0; i < LOSS_MAX; i++) {
		if (bpf_map_lookup_elem(events->losses, &i, values))
			continue;
		lost = 0;
		for (cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
			lost += values[cpu];
		if (lost > events->lost[i])
			events->sink.lost(events->sink.context, i, lost - events->lost[i]);
		events->lost[i] = lost;
	}
}

/* A step of the wall clock takes effect at the next poll; the jitter of two readings is left out. */
static void read_offset(struct events *events)
{
	int64_t offset = clock__realtime_ahead();

	if (llabs(offset - events->offset_ns) > OFFSET_JITTER_NS)
		events->offset_ns = offset;
}

static void wait_until_due(struct events *events, int timeout_ms)
{
	uint64_t now = clock__now();
	struct timespec due;

	events->due_ns += timeout_ms * 1000000ULL;
	if (events->due_ns < now)
		events->due_ns = now;
	due = (struct timespec){.tv_sec = events->due_ns / NS_PER_S, .tv_nsec = events->due_ns % NS_PER_S};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void sweep(struct events *events)
{
	uint64_t now = clock__now();

	if (now - events->swept_ns < SWEEP_NS)
		return;
	events->swept_ns = now;
	programs__sweep_closings(events->programs);
}

void events__poll(struct events *events, int timeout_ms)
{
	size_t count = 0;

	wait_until_due(events, timeout_ms);
	read_offset(events);
	if (events->rings)
		sweep(events);
	if (events->rings)
		count = rings__consume(events->rings, clock__now(), BATCH, events->sink.event, events->sink.context);
	if (count == BATCH)
		events->due_ns = 0; /* there is more: do not wait */
	report_losses(events);
}

void events__close(struct events *events)
{
	if (!events)
		return;
	rings__close(events->rings);
	free(events);
}

uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns)
{
	return monotonic_ns + events->offset_ns;
}
