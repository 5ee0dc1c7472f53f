/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of the packet tables: what it is, the frame, the reason that it must be given.
 */
#ifndef SYNWARDEN_TESTS_PACKETS_H
#define SYNWARDEN_TESTS_PACKETS_H

#include "lib/frames.h"
#include "reasons.h"

struct packet_case {
	const char *what;
	struct frame_spec frame;
	enum reason reason;
};

/* One frame with a field of its description at each value from `first` to `last`. */
struct packet_sweep {
	const char *what;
	struct frame_spec frame;
	enum { KEEP, CUT, LINEAR, IHL, DOFF } field;
	uint32_t first, last;
	enum reason reason;
};

#endif
