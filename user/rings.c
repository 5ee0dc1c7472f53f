// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each event is taken from the ring whose next one is the oldest. What happened after `until_ns` waits for the next
 * time: an event of the same socket from before it, on another CPU, may not have been there yet when that CPU's ring
 * was looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "log.h"
#include "rings.h"

/* Slots that are read before the kernel side is told: it asks for the line that says so with every event. */
#define GIVE_BACK 32

struct rings {
	size_t cpus, slots, slot_bytes; /* slots of one ring */
	struct ring *rings;
	char *data;
	uint64_t *heads; /* by CPU, the time of the next event; UINT64_MAX: there is none */
	uint64_t at[];	 /* by CPU, how many were read */
};

/* The ring's next event; NULL: there is none, or it is still being written. */
static const struct event *head_of(const struct rings *rings, unsigned cpu)
{
	size_t slot = cpu * rings->slots + (rings->at[cpu] & (rings->slots - 1));
	const struct ring_slot *head = (void *)(rings->data + slot * rings->slot_bytes);

	return __atomic_load_n(&head->turn, __ATOMIC_ACQUIRE) == rings->at[cpu] + 1 ? &head->event : NULL;
}

static void give_back(struct rings *rings, unsigned cpu)
{
	__atomic_store_n(&rings->rings[cpu].read, rings->at[cpu], __ATOMIC_RELEASE);
}

static void note_head(struct rings *rings, unsigned cpu)
{
	const struct event *event = head_of(rings, cpu);

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

size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context)
{
	size_t count;
	unsigned cpu;

	for (cpu = 0; cpu < rings->cpus; cpu++)
		note_head(rings, cpu);
	for (count = 0; count < max; count++) {
		cpu = oldest(rings);
		if (rings->heads[cpu] > until_ns)
			break;
		each(context, head_of(rings, cpu));
		if (++rings->at[cpu] % GIVE_BACK == 0)
			give_back(rings, cpu);
		note_head(rings, cpu);
	}
	for (cpu = 0; cpu < rings->cpus; cpu++)
		give_back(rings, cpu);
	return count;
}

/* Maps the values of an array. NULL: errno says why not. */
static void *map_values(int fd, int protection, struct bpf_map_info *info)
{
	__u32 len = sizeof(*info);
	void *values;

	if (bpf_obj_get_info_by_fd(fd, info, &len))
		return NULL;
	values = mmap(NULL, (size_t)info->max_entries * info->value_size, protection, MAP_SHARED, fd, 0);
	return values == MAP_FAILED ? NULL : values;
}

static int map_rings(struct rings *rings, int rings_fd, int slots_fd)
{
	struct bpf_map_info info = {};

	rings->rings = map_values(rings_fd, PROT_READ | PROT_WRITE, &info);
	if (!rings->rings)
		return -1;
	rings->data = map_values(slots_fd, PROT_READ, &info);
	if (!rings->data)
		return -1;
	rings->slots = info.max_entries / rings->cpus;
	rings->slot_bytes = info.value_size;
	return 0;
}

int rings__open(struct rings **rings, int rings_fd, int slots_fd)
{
	size_t cpus = libbpf_num_possible_cpus();
	struct rings *r = calloc(1, sizeof(*r) + cpus * sizeof(r->at[0]));

	*rings = NULL;
	if (r) {
		r->cpus = cpus;
		r->heads = calloc(cpus, sizeof(*r->heads));
	}
	if (!r || !r->heads || map_rings(r, rings_fd, slots_fd)) {
		log_error("cannot open the rings for events: %s", strerror(errno));
		rings__close(r);
		return -1;
	}
	*rings = r;
	return 0;
}

void rings__close(struct rings *rings)
{
	if (!rings)
		return;
	if (rings->rings)
		munmap(rings->rings, rings->cpus * sizeof(*rings->rings));
	if (rings->data)
		munmap(rings->data, rings->cpus * rings->slots * rings->slot_bytes);
	free(rings->heads);
	free(rings);
}
