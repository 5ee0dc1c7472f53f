// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of a BPF ring buffer is the kernel's (kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst): a page with
 * the consumer's position, a page with the producer's, and the data, mapped twice in a row so that no record is split.
 * A record is a header, whose first word is the length with two flags, and the data.
 *
 * libbpf reads rings one after the other. Here each event is taken from the ring whose next one is the oldest. What
 * happened after `until_ns` waits for the next time: an event of the same socket from before it, on another CPU, may
 * not have been there yet when that CPU's ring was looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "log.h"
#include "rings.h"

/* Bytes that are read before the kernel side is told: it asks for the line that says so with every event. */
#define GIVE_BACK 4096

struct ring {
	unsigned long *consumer;       /* positions count bytes, and wrap */
	const unsigned long *producer; /* a page, and behind it the data */
	const char *data;
	unsigned long at, end; /* of what is looked at now */
};

struct rings {
	size_t page, bytes;
	unsigned cpus;
	uint64_t *heads; /* by CPU, the time of the next event; UINT64_MAX: there is none */
	struct ring ring[];
};

static uint32_t *header_at(const struct rings *rings, const struct ring *ring)
{
	return (uint32_t *)(ring->data + (ring->at & (rings->bytes - 1)));
}

static void give_back(const struct ring *ring)
{
	__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
}

static void advance(struct ring *ring, uint32_t header)
{
	unsigned long before = ring->at;
	uint32_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	ring->at += (BPF_RINGBUF_HDR_SZ + len + 7) / 8 * 8;
	if (before / GIVE_BACK != ring->at / GIVE_BACK)
		give_back(ring);
}

/* The ring's next event; NULL: there is none, or it is still being written. */
static const struct event *head_of(const struct rings *rings, struct ring *ring)
{
	uint32_t *header, value;

	while (ring->at != ring->end) {
		header = header_at(rings, ring);
		value = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		if (value & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		if (!(value & BPF_RINGBUF_DISCARD_BIT))
			return (void *)((char *)header + BPF_RINGBUF_HDR_SZ);
		advance(ring, value);
	}
	return NULL;
}

static void note_head(struct rings *rings, unsigned cpu)
{
	const struct event *event = head_of(rings, &rings->ring[cpu]);

	rings->heads[cpu] = event ? event->time_ns : UINT64_MAX;
}

static unsigned oldest(const struct rings *rings)
{
	unsigned cpu, least = 0;

	for (cpu = 1; cpu < rings->cpus; cpu++)
		if (rings->heads[cpu] < rings->heads[least])
			least = cpu;
	return least;
}

static void look(struct rings *rings)
{
	for (unsigned cpu = 0; cpu < rings->cpus; cpu++) {
		struct ring *ring = &rings->ring[cpu];

		ring->end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
		note_head(rings, cpu);
	}
}

size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context)
{
	size_t count;

	look(rings);
	for (count = 0; count < max; count++) {
		unsigned cpu = oldest(rings);
		struct ring *ring = &rings->ring[cpu];

		if (rings->heads[cpu] > until_ns)
			break;
		each(context, head_of(rings, ring));
		advance(ring, *header_at(rings, ring));
		note_head(rings, cpu);
	}
	for (unsigned cpu = 0; cpu < rings->cpus; cpu++)
		give_back(&rings->ring[cpu]);
	return count;
}

void rings__skip(struct rings *rings)
{
	for (unsigned cpu = 0; cpu < rings->cpus; cpu++) {
		struct ring *ring = &rings->ring[cpu];

		ring->at = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
		give_back(ring);
	}
}

static int map_ring(const struct rings *rings, struct ring *ring, int fd)
{
	void *consumer = mmap(NULL, rings->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *producer;

	if (consumer == MAP_FAILED)
		return -1;
	ring->consumer = consumer;
	producer = mmap(NULL, rings->page + 2 * rings->bytes, PROT_READ, MAP_SHARED, fd, rings->page);
	if (producer == MAP_FAILED)
		return -1;
	ring->producer = producer;
	ring->data = (char *)producer + rings->page;
	return 0;
}

/* The kernel's array, and what is mapped here, keep the ring. */
static int make_ring(struct rings *rings, int array, __u32 cpu)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, rings->bytes, NULL), err;

	if (fd < 0)
		return -1;
	err = map_ring(rings, &rings->ring[cpu], fd) || bpf_map_update_elem(array, &cpu, &fd, BPF_ANY) ? errno : 0;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

int rings__open(struct rings **rings, int array, unsigned cpus, size_t bytes)
{
	struct rings *r = calloc(1, sizeof(*r) + cpus * sizeof(r->ring[0]));
	unsigned cpu;

	*rings = NULL;
	if (!r || !(r->heads = calloc(cpus, sizeof(*r->heads))))
		goto fail;
	r->page = sysconf(_SC_PAGESIZE);
	r->bytes = bytes;
	r->cpus = cpus;
	for (cpu = 0; cpu < cpus; cpu++)
		if (make_ring(r, array, cpu))
			goto fail;
	*rings = r;
	return 0;
fail:
	log_error("cannot make the rings for events: %s", strerror(errno));
	rings__close(r);
	return -1;
}

void rings__close(struct rings *rings)
{
	if (!rings)
		return;
	for (unsigned cpu = 0; cpu < rings->cpus; cpu++) {
		struct ring *ring = &rings->ring[cpu];

		if (ring->consumer)
			munmap(ring->consumer, rings->page);
		if (ring->producer)
			munmap((void *)ring->producer, rings->page + 2 * rings->bytes);
	}
	free(rings->heads);
	free(rings);
}
