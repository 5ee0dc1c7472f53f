// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merges the rings: takes the oldest next event. Events after `until_ns` wait for the next call: an earlier one of
 * the same socket may have been written by another CPU after its ring was looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "stream/rings.h"
#include "text/log.h"

/* Slots that are read before `read` is advanced: the kernel side reads that cache line with every event. */
#define GIVE_BACK 32

/* In place of the time of a ring's next event: the ring is empty; the event is still being written. */
#define HEAD_NONE    UINT64_MAX
#define HEAD_PENDING 0

struct rings {
	size_t count, slots, slot_bytes; /* slots of one ring */
	struct ring *rings;
	char *data;
	uint64_t *heads; /* by ring, the time of the next event, HEAD_NONE or HEAD_PENDING */
	uint64_t *at;	 /* by ring, how many were read */
};

/* The ring's next event; NULL: there is none, or it is still being written. */
static const struct event *head_of(const struct rings *rings, unsigned i)
{
	size_t slot = i * rings->slots + (rings->at[i] & (rings->slots - 1));
	const struct ring_slot *head = (void *)(rings->data + slot * rings->slot_bytes);

	return __atomic_load_n(&head->turn, __ATOMIC_ACQUIRE) == rings->at[i] + 1 ? &head->event : NULL;
}

static void give_back(struct rings *rings, unsigned i)
{
	__atomic_store_n(&rings->rings[i].read, rings->at[i], __ATOMIC_RELEASE);
}

/*
 * A program may be interrupted between taking a slot and completing it. The slots behind it may be complete then, and
 * what followed from their events may be in other rings already: all rings wait for it.
 */
static void note_head(struct rings *rings, unsigned i)
{
	const struct event *event = head_of(rings, i);

	if (event)
		rings->heads[i] = event->time_ns;
	else if (__atomic_load_n(&rings->rings[i].filled, __ATOMIC_ACQUIRE) == rings->at[i])
		rings->heads[i] = HEAD_NONE;
	else
		rings->heads[i] = HEAD_PENDING;
}

static unsigned oldest(const struct rings *rings)
{
	unsigned i, least = 0;

	for (i = 1; i < rings->count; i++)
		if (rings->heads[i] < rings->heads[least])
			least = i;
	return least;
}

size_t rings__consume(struct rings *rings, uint64_t until_ns, size_t max,
		      void (*each)(void *context, const struct event *event), void *context)
{
	size_t count;
	unsigned i;

	for (i = 0; i < rings->count; i++)
		note_head(rings, i);
	for (count = 0; count < max; count++) {
		i = oldest(rings);
		if (rings->heads[i] > until_ns || rings->heads[i] == HEAD_PENDING)
			break;
		each(context, head_of(rings, i));
		if (++rings->at[i] % GIVE_BACK == 0)
			give_back(rings, i);
		note_head(rings, i);
	}
	for (i = 0; i < rings->count; i++)
		give_back(rings, i);
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

static int open_rings(struct rings *rings, int rings_fd, int slots_fd)
{
	struct bpf_map_info info = {};

	rings->rings = map_values(rings_fd, PROT_READ | PROT_WRITE, &info);
	if (!rings->rings)
		return -1;
	rings->count = info.max_entries;
	rings->data = map_values(slots_fd, PROT_READ, &info);
	if (!rings->data)
		return -1;
	rings->slots = info.max_entries / rings->count;
	rings->slot_bytes = info.value_size;
	rings->heads = calloc(rings->count, sizeof(*rings->heads));
	rings->at = calloc(rings->count, sizeof(*rings->at));
	return rings->heads && rings->at ? 0 : -1;
}

int rings__open(struct rings **rings, int rings_fd, int slots_fd)
{
	struct rings *r = calloc(1, sizeof(*r));

	*rings = NULL;
	if (!r || open_rings(r, rings_fd, slots_fd)) {
		log_error("cannot open the rings for events: %s", strerror(errno));
		rings__close(r);
		return -1;
	}
	*rings = r;
	return 0;
}

__u32 rings__count(__u32 cpus)
{
	__u32 online = sysconf(_SC_NPROCESSORS_ONLN), least = (cpus + RING_SHARED - 1) / RING_SHARED;

	return online > least ? online : least;
}

void rings__close(struct rings *rings)
{
	if (!rings)
		return;
	if (rings->rings)
		munmap(rings->rings, rings->count * sizeof(*rings->rings));
	if (rings->data)
		munmap(rings->data, rings->count * rings->slots * rings->slot_bytes);
	free(rings->heads);
	free(rings->at);
	free(rings);
}
