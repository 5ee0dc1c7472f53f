// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watch lies in memory that is shared with the filter, so that a ladder which gave up its rights can renew it. A
 * ladder that dies renews it no more, and the filter removes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/run_pins.h"
#include "kernel/verdicts.h"
#include "system/clock.h"
#include "text/log.h"

struct verdicts {
	struct watch *watch;
	struct ring_buffer *ring;
	int watches, sightings, losses; /* descriptors */
	uint64_t lost;
	struct segment *told; /* taken from the ring */
	size_t first, count, room;
};

static int on_sighting(void *context, void *data, size_t size)
{
	struct verdicts *verdicts = context;
	size_t room = verdicts->room ? verdicts->room * 2 : 64;
	struct segment *told;

	if (size < sizeof(*told))
		return 0;
	if (verdicts->count == verdicts->room) {
		told = reallocarray(verdicts->told, room, sizeof(*told));
		if (!told)
			return -ENOMEM; /* it stays in the ring */
		verdicts->told = told;
		verdicts->room = room;
	}
	verdicts->told[verdicts->count++] = *(const struct segment *)data;
	return 0;
}

static uint64_t read_losses(const struct verdicts *verdicts)
{
	uint64_t values[libbpf_num_possible_cpus()], sum = 0;
	__u32 key = LOSS_WATCHES;

	if (bpf_map_lookup_elem(verdicts->losses, &key, values))
		return verdicts->lost;
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += values[cpu];
	return sum;
}

static int open_maps(struct verdicts *verdicts, uint32_t netns)
{
	void *memory;

	verdicts->watches = run_pins__open(netns, "watches");
	verdicts->sightings = run_pins__open(netns, "sightings");
	verdicts->losses = run_pins__open(netns, "losses");
	if (verdicts->watches < 0 || verdicts->sightings < 0 || verdicts->losses < 0)
		return -1;
	memory = mmap(NULL, sizeof(struct watch), PROT_READ | PROT_WRITE, MAP_SHARED, verdicts->watches, 0);
	if (memory == MAP_FAILED)
		return -1;
	verdicts->watch = memory;
	verdicts->ring = ring_buffer__new(verdicts->sightings, on_sighting, verdicts, NULL);
	return verdicts->ring ? 0 : -1;
}

static bool is_taken(const struct watch *watch)
{
	return __atomic_load_n(&watch->until_ns, __ATOMIC_ACQUIRE) > clock__now() && watch->pid != (uint32_t)getpid();
}

/* Takes the watch, which holds from the first renewal on; what an earlier ladder left in the ring is forgotten. */
static int begin(struct verdicts *verdicts, const struct event_filter *filter)
{
	if (is_taken(verdicts->watch)) {
		log_warn("the filter tells what it does to the ladder with pid %u; here it is not shown",
			 verdicts->watch->pid);
		return -1;
	}
	__atomic_store_n(&verdicts->watch->until_ns, 0, __ATOMIC_SEQ_CST);
	verdicts->watch->filter = *filter;
	verdicts->watch->pid = getpid();
	ring_buffer__consume(verdicts->ring);
	verdicts->count = 0;
	verdicts->lost = read_losses(verdicts);
	verdicts__renew(verdicts);
	return 0;
}

static void close_map(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* -1: there is no `run`, or, after a message, it cannot be watched. */
static int open_in(struct verdicts *verdicts, uint32_t netns, const struct event_filter *filter)
{
	struct meta meta;

	if (run_pins__meta(netns, &meta) && errno == ENOENT)
		return -1;
	if (meta.layout != LAYOUT_VERSION) {
		log_warn("the filter in place is of another version, or cannot be read: what it does is not shown");
		return -1;
	}
	if (open_maps(verdicts, netns)) {
		log_warn("cannot open the filter's map of watches: %s; what it does is not shown", strerror(errno));
		return -1;
	}
	return begin(verdicts, filter);
}

struct verdicts *verdicts__open(uint32_t netns, const struct event_filter *filter)
{
	struct verdicts *verdicts = calloc(1, sizeof(*verdicts));

	if (!verdicts)
		return NULL;
	verdicts->watches = verdicts->sightings = verdicts->losses = -1;
	if (!open_in(verdicts, netns, filter))
		return verdicts;
	verdicts__close(verdicts);
	return NULL;
}

void verdicts__renew(struct verdicts *verdicts)
{
	if (!is_taken(verdicts->watch))
		__atomic_store_n(&verdicts->watch->until_ns, clock__now() + WATCH_NS, __ATOMIC_RELEASE);
}

void verdicts__consume(struct verdicts *verdicts, uint64_t until_ns,
		       void (*each)(void *context, const struct segment *segment), void *context)
{
	ring_buffer__consume(verdicts->ring);
	while (verdicts->first < verdicts->count && verdicts->told[verdicts->first].time_ns <= until_ns)
		each(context, &verdicts->told[verdicts->first++]);
	if (verdicts->first == verdicts->count)
		verdicts->first = verdicts->count = 0;
}

uint64_t verdicts__lost(struct verdicts *verdicts)
{
	uint64_t lost = read_losses(verdicts), more = lost - verdicts->lost;

	verdicts->lost = lost;
	return more;
}

void verdicts__close(struct verdicts *verdicts)
{
	if (!verdicts)
		return;
	if (verdicts->watch) {
		if (verdicts->ring && !is_taken(verdicts->watch))
			__atomic_store_n(&verdicts->watch->until_ns, 0, __ATOMIC_RELEASE);
		munmap(verdicts->watch, sizeof(struct watch));
	}
	ring_buffer__free(verdicts->ring);
	close_map(verdicts->watches);
	close_map(verdicts->sightings);
	close_map(verdicts->losses);
	free(verdicts->told);
	free(verdicts);
}
