// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rings are opened before the tracker is attached, so that no event is missed; owners are read after that, so
 * that a socket made in between is found by one of the two.
 */
#include <string.h>

#include <bpf/libbpf.h>

#include "kernel/pins.h"
#include "kernel/run_pins.h"
#include "stream/rings.h"
#include "stream/tracker.h"

#define MOST_SLOTS  (1 << 17) /* a second and more of one CPU's transitions */
#define LEAST_SLOTS (1 << 11) /* 50 ms of them, between two looks into the ring */

/* A power of two, as the kernel side masks the slot's number. */
static void size_rings(struct config *config, size_t ring_bytes)
{
	size_t slots = MOST_SLOTS;

	config->rings = rings__count(config->cpus);
	while (slots > LEAST_SLOTS && slots * config->rings * programs__slot_bytes(config) > ring_bytes)
		slots /= 2;
	config->ring_slots = slots;
}

/* With what a `run` of the namespace that is wanted, or of this one, knows of HTTP. */
static int load(struct tracker *tracker, struct config *config, unsigned parts)
{
	uint32_t netns = config->filter.netns ? config->filter.netns : pins__netns();
	struct maps reuse;
	int ret;

	memset(&reuse, -1, sizeof(reuse));
	if (config->stream == STREAM_LIVES)
		reuse.http_conns = run_pins__http_conns(netns);
	config->http_lives = tracker->tells_http = reuse.http_conns >= 0;
	ret = programs__load(&tracker->programs, config, parts, &reuse);
	pins__close_maps(&reuse);
	return ret;
}

int tracker__open(struct tracker *tracker, const struct config *config, unsigned parts, size_t ring_bytes,
		  const struct events_sink *sink)
{
	struct config sized = *config;

	*tracker = (struct tracker){};
	sized.cpus = libbpf_num_possible_cpus();
	if (parts & PROGRAMS_TRACKER)
		size_rings(&sized, ring_bytes);
	if (load(tracker, &sized, parts) || events__open(&tracker->events, tracker->programs, sink) ||
	    programs__attach_tracker(tracker->programs, NULL))
		return -1;
	return owners__open(&tracker->owners, tracker->programs);
}

void tracker__close(struct tracker *tracker)
{
	events__close(tracker->events);
	owners__close(tracker->owners);
	programs__free(tracker->programs);
	*tracker = (struct tracker){};
}
