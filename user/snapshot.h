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
	uint64_t armed;	 /* 0 or 1 */
	uint32_t budget; /* SYN/s; 0: off */
	bool challenge;
	bool own_rule; /* the two are of a [port N] */
	uint64_t syns; /* that reached the interfaces; the next three are its parts, */
	uint64_t passed;
	uint64_t dropped;
	uint64_t challenged;
	uint64_t answered;  /* challenges */
	uint64_t completed; /* handshakes */
	uint64_t aborted;
	uint64_t listen_drops;
	uint64_t synack_retransmits;
	uint64_t half_open; /* this and the rest: now, as the last census found it */
	uint64_t accept_queue;
	uint64_t accept_limit;
	uint64_t accept_full; /* listeners */
	struct attack attack;
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
	struct histogram handshakes[ROLE_MAX];
	uint64_t endings[2][ENDING_MAX]; /* [0]: of connections that were established; [1]: that never were */
	uint64_t tallies[TALLY_MAX];
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
/* The listeners themselves, by port: what is written there the kernel side sees. NULL with errno; to be unmapped. */
struct listener *snapshot__map_listeners(const struct maps *maps);
void snapshot__unmap_listeners(struct listener *listeners);
/* The part of it that counts transitions, [from][to]. */
int snapshot__transitions(uint64_t transitions[STATE_MAX][STATE_MAX], const struct maps *maps);
/* Transitions into the state, and out of it. */
uint64_t snapshot__entered(const struct snapshot *snapshot, unsigned state);
uint64_t snapshot__left(const struct snapshot *snapshot, unsigned state);
/* Of the handshakes that the filter let begin (SYNs passed, challenges answered), those that completed, in 1/1000; -1:
 * none began. A SYN sent again counts twice. Answers beyond the challenges are to the kernel's own cookies. */
int snapshot__completed(const struct port_view *port);
uint64_t histogram__count(const struct histogram *histogram);
/* The duration in ns below which the share q (0..1) lies: the upper edge of its slot; DURATION_UNKNOWN if empty. */
uint64_t histogram__quantile(const struct histogram *histogram, double q);

#endif
