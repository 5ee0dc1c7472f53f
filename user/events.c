// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the ring by time rather than by wake-up: the kernel side wakes us only when the ring fills.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "events.h"
#include "log.h"

#define OFFSET_JITTER_NS 1000000 /* a smaller change is the two readings' own */

struct events {
	struct ring_buffer *ring;
	struct events_sink sink;
	int losses;
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint64_t lost[LOSS_MAX];
};

static int handle(void *context, void *data, size_t size)
{
	const struct events *events = context;

	if (size >= sizeof(struct event))
		events->sink.event(events->sink.context, data);
	return 0;
}

int events__open(struct events **events, const struct maps *maps, const struct events_sink *sink)
{
	struct events *e = calloc(1, sizeof(*e));

	*events = NULL;
	if (!e || !(e->ring = ring_buffer__new(maps->events, handle, e, NULL))) {
		log_error("cannot open the event ring: %s", strerror(errno));
		free(e);
		return -1;
	}
	e->sink = *sink;
	e->losses = maps->losses;
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

/* A step of the wall clock shows from the next poll on; the jitter of two readings stays out of the data. */
static void read_offset(struct events *events)
{
	struct timespec real, mono;
	int64_t offset;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	offset = (real.tv_sec - mono.tv_sec) * 1000000000LL + real.tv_nsec - mono.tv_nsec;
	if (llabs(offset - events->offset_ns) > OFFSET_JITTER_NS)
		events->offset_ns = offset;
}

int events__poll(struct events *events, int timeout_ms)
{
	int woken, n;

	read_offset(events);
	woken = ring_buffer__poll(events->ring, timeout_ms);
	if (woken < 0 && woken != -EINTR) {
		log_error("cannot read the event ring: %s", strerror(-woken));
		return -1;
	}
	n = ring_buffer__consume(events->ring);
	report_losses(events);
	return n < 0 ? 0 : n + (woken > 0 ? woken : 0);
}

void events__close(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}

uint64_t events__realtime(const struct events *events, uint64_t monotonic_ns)
{
	return monotonic_ns + events->offset_ns;
}
