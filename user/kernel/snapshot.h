/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps -> plain structs, summed over all CPUs. Reading takes no lock, and stops nothing.
 */
#ifndef SYNWARDEN_KERNEL_SNAPSHOT_H
#define SYNWARDEN_KERNEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "kernel/maps.h"
#include "types.h"

#define SNAPSHOT_SOURCES 16

struct port_view {
	uint16_t port; /* 0: other */
	uint32_t slot; /* in the maps by port */
	bool listening;
	uint64_t armed; /* 0 or 1: for SYNs */
	uint64_t armed_strays;
	uint32_t stray_budget; /* segments/s; 0: off */
	uint32_t budget;       /* SYN/s; 0: off */
	bool challenge;
	bool own_rule;	       /* the two are of a [port N] */
	uint32_t protected_by; /* enum protected_by: the port is served on every address; 0: not for that */
	bool served;	       /* some address of this host is known to be served on it */
#define X(kind, name, ...) uint64_t name;
	PORT_COUNTERS(X)
#undef X
	struct attack attack;
	uint64_t sound_answers;		    /* as in struct port_count */
	uint64_t limited, over_budget, own; /* as in struct port_count */
	uint32_t reachable;		    /* listeners that are not bound to a loopback address */
	struct port_recent recent;	    /* as `run` last wrote it */
	struct http_count http;		    /* 0 unless snapshot.http */
	struct addr not_served_addr; /* where the last SYNs that were not served went; all zero: there were none */
};

struct source_view {
	struct addr addr; /* an IPv6 address stands for its /64 */
	uint64_t dropped;
	uint64_t since_ns; /* CLOCK_MONOTONIC at which the limit began to count them */
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
	struct list_control lists[LIST_SETS];	      /* capacity 0: there are none */
	bool served_full;			      /* no room for further served addresses */
	size_t unslotted;			      /* listening ports that are counted as "other" */
	struct port_view ports[MAX_PORTS];	      /* ports[0] is "other"; the rest by port number */
	size_t port_count;			      /* at least 1 */
	struct source_view sources[SNAPSHOT_SOURCES]; /* the most limited ones first */
	size_t source_count;
	bool http;		       /* HTTP is, or was, counted */
	struct http_count http_client; /* of the requests that this host sends */
	uint64_t taken_ns;	       /* CLOCK_MONOTONIC */
};

/* 0, or -1 after a message. */
int snapshot__read(struct snapshot *snapshot, const struct maps *maps);

/* What --source-limit has dropped of the address, or of the /64 of an IPv6 address; nothing where it has no record of
 * it. 0, or -1 after a message. */
int snapshot__limited(struct source_view *source, const struct maps *maps, const struct addr *addr);

/*
 * The addresses of this host that are known to be served on the port, all zero: every one (--protect). Returns how many
 * there are, `most` at most; one may come twice, from both tables.
 */
int snapshot__served(struct addr *addrs, size_t most, const struct maps *maps, uint16_t port);

uint64_t snapshot__packets(const struct snapshot *snapshot, enum verdict verdict);
/* SYNs that reached the interface, of all ports. */
uint64_t snapshot__syns(const struct snapshot *snapshot);
/* The listeners, by port, shared with the kernel side. NULL with errno; to be unmapped. */
struct listener *snapshot__map_listeners(const struct maps *maps);
void snapshot__unmap_listeners(struct listener *listeners);
/* Only the counters of transitions, [from][to]. */
int snapshot__transitions(uint64_t transitions[STATE_MAX][STATE_MAX], const struct maps *maps);
/* Transitions into the state, and out of it. */
uint64_t snapshot__entered(const struct snapshot *snapshot, unsigned state);
uint64_t snapshot__left(const struct snapshot *snapshot, unsigned state);
/* Of the SYNs that passed, those whose handshake completed, in 1/1000; -1: none passed, or some were challenged: of a
 * flood that is held off, what the budget admits completes nothing. A SYN sent again counts twice. */
int snapshot__completed(const struct port_view *port);

#endif
