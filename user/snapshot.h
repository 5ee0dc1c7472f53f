/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps -> plain structs, values of all CPUs summed. Reading takes no lock and stops nobody.
 */
#ifndef SYNWARDEN_SNAPSHOT_H
#define SYNWARDEN_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps.h"
#include "types.h"

#define SNAPSHOT_SOURCES 16

struct port_view {
	uint16_t port; /* 0: other */
	uint32_t slot; /* in the maps by port */
	bool listening;
	uint64_t armed; /* 0 or 1 */
	uint64_t syns;
	uint64_t completed;
	uint64_t challenged;
	uint64_t answered;
	uint64_t dropped; /* over budget */
	struct attack attack;
	uint64_t half_open;
};

struct source_view {
	struct addr addr; /* an IPv6 one stands for its /64 */
	uint64_t dropped;
};

struct snapshot {
	struct meta meta;
	struct verdict_count verdicts[REASON_MAX];
	uint64_t losses[LOSS_MAX];
	uint64_t transitions[STATE_MAX][STATE_MAX];
	struct histogram durations[STATE_MAX];
	struct census census;
	struct port_view ports[MAX_PORTS];	      /* ports[0] is "other"; the rest by port number */
	size_t port_count;			      /* at least 1 */
	struct source_view sources[SNAPSHOT_SOURCES]; /* the most limited ones first */
	size_t source_count;
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
};

/* 0, or -1 after a message. */
int snapshot__read(struct snapshot *snapshot, const struct maps *maps);

uint64_t snapshot__packets(const struct snapshot *snapshot, enum verdict verdict);
/* SYNs that reached the interface, of all ports. */
uint64_t snapshot__syns(const struct snapshot *snapshot);
uint64_t histogram__count(const struct histogram *histogram);
/* The duration in ns below which the share q (0..1) lies: the upper edge of its slot; DURATION_UNKNOWN if empty. */
uint64_t histogram__quantile(const struct histogram *histogram, double q);

#endif
