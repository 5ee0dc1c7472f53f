/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the filter in force does with a packet, and why: asked of explain_packet, which has the same judges, maps and
 * frozen configuration as filter_packet, and changes nothing.
 */
#ifndef SYNWARDEN_KERNEL_EXPLAIN_H
#define SYNWARDEN_KERNEL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/maps.h"
#include "kernel/snapshot.h"
#include "types.h"

/* A SYN, of one address family. Ports in host order. */
struct explain_syn {
	struct addr from, to;
	uint16_t from_port; /* 0: one that no connection has */
	uint16_t port;
	unsigned ifindex; /* the interface that it comes in by; 0: lo */
	bool burst;	  /* it comes in a burst of its sender: see EXPLAIN_BURST_NS */
};

/*
 * Asks about an Ethernet frame. `program`: of programs__explain_fd() or pins__explain(). `linear`: bytes of it in the
 * first buffer. -1 with errno.
 */
int explain__frame(int program, unsigned ifindex, const void *frame, size_t len, size_t linear,
		   struct explanation *answer);
/* 0, or -1 after a message. */
int explain__syn(int program, const struct explain_syn *syn, struct explanation *answer);

/* The entry of a list that decided, which contains the SYN's source. */
struct prefix explain__entry(const struct addr *from, const struct explanation *answer);

#define EXPLAIN_LISTED_LEN 128

/* "192.0.2.0/24 is on the block list for another 9m55s" */
char *explain__listed(char text[EXPLAIN_LISTED_LEN], const struct addr *from, const struct explanation *answer,
		      const char *list);

/*
 * Where syn->port or syn->to is zero, tries the armed ports, and the addresses that are known to be served there, and
 * sets them to the first pair that is served, or else to the first of all. 0, or -1 after a message.
 */
int explain__any(int program, const struct maps *maps, const struct snapshot *snapshot, struct explain_syn *syn,
		 struct explanation *answer);

#endif
