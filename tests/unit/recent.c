// SPDX-License-Identifier: GPL-2.0-only
/* The same segment at several devices, and segments that are sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "segments/recent.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))
#define MS		1000000
#define ACK		SEGMENT_ACK
#define PSH_ACK		(SEGMENT_PSH | SEGMENT_ACK)
#define FIN_ACK		(SEGMENT_FIN | SEGMENT_ACK)

enum { OUT = SEGMENT_SENT, IN = SEGMENT_ARRIVED };

/* clang-format off */
static const struct scene {
	const char *what;
	struct {
		uint64_t at_ms;
		uint32_t ifindex;
		uint8_t kind;
		uint32_t seq, len;
		uint8_t flags;
		bool repeated;
	} seen[12];
} scenes[] = {
	{"over a bridge: its device, then the port",
	 {{0, 5, OUT, 100, 10, PSH_ACK, false}, {0, 2, OUT, 100, 10, PSH_ACK, true},
	  {1, 5, OUT, 110, 10, PSH_ACK, false}, {1, 2, OUT, 110, 10, PSH_ACK, true}}},
	{"loopback: sent and arrived at one device",
	 {{0, 1, OUT, 100, 0, SEGMENT_SYN, false}, {0, 1, IN, 100, 0, SEGMENT_SYN, true}}},
	{"a softirq that waits",
	 {{0, 1, OUT, 100, 10, ACK, false}, {60, 1, IN, 100, 10, ACK, true}}},
	{"sent again at once, over two devices",
	 {{0, 5, OUT, 100, 10, ACK, false}, {0, 2, OUT, 100, 10, ACK, true},
	  {1, 5, OUT, 100, 10, ACK, false}, {1, 2, OUT, 100, 10, ACK, true}}},
	{"duplicate ACKs, of which both come by the first device before the second",
	 {{0, 5, OUT, 100, 0, ACK, false}, {0, 5, OUT, 100, 0, ACK, false},
	  {1, 2, OUT, 100, 0, ACK, true}, {1, 2, OUT, 100, 0, ACK, true}, {2, 5, OUT, 100, 0, ACK, false}}},
	{"a GSO segment, then its parts at a device without offload",
	 {{0, 5, OUT, 100, 25, PSH_ACK, false}, {0, 2, OUT, 100, 10, ACK, true}, {0, 2, OUT, 110, 10, ACK, true},
	  {0, 2, OUT, 120, 5, PSH_ACK, true}}},
	{"its first part, sent again by itself",
	 {{0, 5, OUT, 100, 25, PSH_ACK, false}, {0, 2, OUT, 100, 10, ACK, true}, {0, 2, OUT, 110, 10, ACK, true},
	  {0, 2, OUT, 120, 5, PSH_ACK, true}, {5, 5, OUT, 100, 10, ACK, false}, {5, 2, OUT, 100, 10, ACK, true}}},
	{"a part in the middle, sent again by itself",
	 {{0, 5, OUT, 100, 30, ACK, false}, {0, 2, OUT, 100, 10, ACK, true}, {0, 2, OUT, 110, 10, ACK, true},
	  {0, 2, OUT, 120, 10, ACK, true}, {5, 5, OUT, 110, 10, ACK, false}, {5, 2, OUT, 110, 10, ACK, true}}},
	{"an ACK is no part of the data before which it stands",
	 {{0, 5, OUT, 100, 10, ACK, false}, {0, 2, OUT, 100, 10, ACK, true}, {1, 2, OUT, 100, 0, ACK, false}}},
	{"an ACK is not the FIN of the same number",
	 {{0, 5, OUT, 100, 0, ACK, false}, {0, 2, OUT, 100, 0, FIN_ACK, false}, {0, 2, OUT, 100, 0, ACK, true}}},
	{"numbers that wrap",
	 {{0, 5, OUT, UINT32_MAX - 9, 30, ACK, false}, {0, 2, OUT, UINT32_MAX - 9, 20, ACK, true},
	  {0, 2, OUT, 10, 10, ACK, true}}},
	{"too late to be the same",
	 {{0, 5, OUT, 100, 10, ACK, false}, {150, 2, OUT, 100, 10, ACK, false}}},
};
/* clang-format on */

static void play(const struct scene *scene)
{
	struct recent recent = {};

	for (size_t i = 0; i < COUNT_OF(scene->seen) && scene->seen[i].ifindex; i++) {
		struct segment segment = {
			.time_ns = 1000 * MS + scene->seen[i].at_ms * MS,
			.sport = 80,
			.seq = scene->seen[i].seq,
			.len = scene->seen[i].len,
			.flags = scene->seen[i].flags,
			.ifindex = scene->seen[i].ifindex,
			.kind = scene->seen[i].kind,
		};

		if (recent__is_repeated(&recent, &segment) != scene->seen[i].repeated)
			fail_msg("%s: segment %zu", scene->what, i + 1);
	}
}

static void places(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(scenes); i++)
		play(&scenes[i]);
}

/* More places than there is room for, and more segments. */
static void bounds(void **state)
{
	struct segment segment = {.seq = 1, .flags = ACK, .kind = OUT};
	struct recent recent = {};
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * RECENT_PLACES; i++) {
		segment.ifindex = i + 1;
		assert_int_equal(recent__is_repeated(&recent, &segment), i > 0);
	}
	for (i = 0; i < 3 * RECENT_SEGMENTS; i++) {
		segment.seq += 10;
		segment.ifindex = 1;
		assert_false(recent__is_repeated(&recent, &segment));
		segment.ifindex = 2;
		assert_true(recent__is_repeated(&recent, &segment));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(bounds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
