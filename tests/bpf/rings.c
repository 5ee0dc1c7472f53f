// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of the rings, on maps of the shape that the tracker's have, filled here as the kernel side fills them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "stream/rings.h"

#define RINGS 2
#define SLOTS 64
#define ALL   1000

struct fixture {
	int rings_fd, slots_fd;
	struct ring *ring; /* of RINGS */
	struct ring_slot *slots;
	struct rings *rings;
	uint64_t given[ALL]; /* times of the events, as they came */
	size_t count;
};

static void *make_map(int *fd, size_t value_bytes, size_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	void *values;

	*fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rings", sizeof(__u32), value_bytes, entries, &opts);
	assert_true(*fd >= 0);
	values = mmap(NULL, value_bytes * entries, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_ptr_not_equal(values, MAP_FAILED);
	return values;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->ring = make_map(&f->rings_fd, sizeof(*f->ring), RINGS);
	f->slots = make_map(&f->slots_fd, sizeof(*f->slots), RINGS * SLOTS);
	assert_int_equal(rings__open(&f->rings, f->rings_fd, f->slots_fd), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	rings__close(f->rings);
	munmap(f->ring, sizeof(*f->ring) * RINGS);
	munmap(f->slots, sizeof(*f->slots) * RINGS * SLOTS);
	close(f->rings_fd);
	close(f->slots_fd);
	free(f);
	return 0;
}

static struct ring_slot *take(struct fixture *f, unsigned ring)
{
	return &f->slots[ring * SLOTS + f->ring[ring].filled++ % SLOTS];
}

static void put(struct fixture *f, unsigned ring, uint64_t time_ns)
{
	uint64_t turn = f->ring[ring].filled;
	struct ring_slot *slot = take(f, ring);

	slot->event.time_ns = time_ns;
	slot->turn = turn + 1;
}

static void on_event(void *context, const struct event *event)
{
	struct fixture *f = context;

	assert_true(f->count < ALL);
	f->given[f->count++] = event->time_ns;
}

static size_t consume(struct fixture *f, uint64_t until_ns, size_t max)
{
	f->count = 0;
	return rings__consume(f->rings, until_ns, max, on_event, f);
}

static void assert_given(const struct fixture *f, const uint64_t *times, size_t count)
{
	assert_int_equal(f->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(f->given[i], times[i]);
}

#define GIVEN(f, ...)                                                                                                  \
	assert_given(f, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void merges_by_time(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 10);
	put(f, 0, 40);
	put(f, 1, 20);
	put(f, 1, 30);
	assert_int_equal(consume(f, 100, ALL), 4);
	GIVEN(f, 10, 20, 30, 40);
	assert_int_equal(consume(f, 100, ALL), 0);
}

static void later_ones_wait(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 10);
	put(f, 0, 30);
	put(f, 1, 20);
	assert_int_equal(consume(f, 20, ALL), 2);
	GIVEN(f, 10, 20);
	assert_int_equal(consume(f, 30, ALL), 1);
	GIVEN(f, 30);
}

static void stops_at_the_most(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 10);
	put(f, 1, 20);
	put(f, 0, 30);
	assert_int_equal(consume(f, 100, 2), 2);
	GIVEN(f, 10, 20);
	assert_int_equal(consume(f, 100, 2), 1);
	GIVEN(f, 30);
}

/* It keeps back what comes after it in its ring, and what other rings have: that may follow from what is kept back. */
static void unfinished_waits(void **state)
{
	struct fixture *f = *state;
	struct ring_slot *slot;

	put(f, 0, 10);
	slot = take(f, 0);
	put(f, 0, 30);
	put(f, 1, 40);
	assert_int_equal(consume(f, 100, ALL), 1);
	GIVEN(f, 10);
	slot->event.time_ns = 20;
	slot->turn = 2;
	assert_int_equal(consume(f, 100, ALL), 3);
	GIVEN(f, 20, 30, 40);
}

/* What a former turn left in a slot is not read again, however often the ring comes round; all that was read is given
 * back. */
static void comes_round(void **state)
{
	struct fixture *f = *state;
	uint64_t time = 0;

	for (int turn = 0; turn < 10; turn++) {
		for (int i = 0; i < SLOTS - turn; i++)
			put(f, 1, ++time);
		assert_int_equal(consume(f, time, ALL), SLOTS - turn);
		assert_int_equal(f->given[f->count - 1], time);
		assert_int_equal(f->ring[1].read, f->ring[1].filled);
		assert_int_equal(consume(f, time, ALL), 0);
	}
	assert_int_equal(f->ring[0].read, 0);
}

static void as_many_as_cpus_online(void **state)
{
	uint32_t online = sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	assert_int_equal(rings__count(online), online);
	assert_int_equal(rings__count(online * RING_SHARED), online);
	assert_int_equal(rings__count(online * RING_SHARED + 1), online + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(merges_by_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(later_ones_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stops_at_the_most, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unfinished_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(comes_round, set_up, tear_down),
		cmocka_unit_test(as_many_as_cpus_online),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
