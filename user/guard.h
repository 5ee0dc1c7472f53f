/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF object: open, configure, load, attach. The only room that knows the skeleton.
 * Functions return 0, or -1 after a message that says what failed and what mends it.
 */
#ifndef SYNWARDEN_GUARD_H
#define SYNWARDEN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "maps.h"
#include "types.h"

enum guard_parts {
	GUARD_FILTER = 1,  /* filter_packet */
	GUARD_TRACKER = 2, /* transitions */
	GUARD_CENSUS = 4,  /* the kernel's tables, resets and retransmissions */
	GUARD_OWNERS = 8,  /* who owns which socket: for a stream; with the next */
	GUARD_LISTS = 16,  /* the list of sockets, and of who holds them: costs nothing until asked for */
};

enum xdp_mode {
	XDP_MODE_AUTO,
	XDP_MODE_NATIVE,
	XDP_MODE_GENERIC,
};

struct guard;

/*
 * Loads the chosen parts with `config` frozen in; `reuse`, where not NULL, gives the maps of a former `run` to go on
 * with, all but `port_rules`.
 */
int guard__load(struct guard **guard, const struct config *config, unsigned parts, const struct maps *reuse);
const struct maps *guard__maps(const struct guard *guard);
/* File descriptor of filter_packet, for BPF_PROG_TEST_RUN. */
int guard__filter_fd(const struct guard *guard);

/* File descriptors of the rings' maps; whether there are any. */
bool guard__rings(const struct guard *guard, int *rings, int *slots);
/*
 * Writes to all of the rings, before the tracker is attached. Where memory is mapped only once it is touched (in some
 * virtual machines), that takes microseconds a page, which the kernel is not to wait for while it receives packets. At
 * best: it may fail.
 */
void guard__touch_rings(const struct guard *guard);

/* Where `dir` is not NULL, each program takes the place of a former `run`'s pinned there, at once: a transition's
 * record tells that it was seen, but a reset or a retransmission would be counted by both. */
int guard__attach_tracker(struct guard *guard, const char *dir);
/* Attaches to an interface by number. A foreign program there is named and left alone. */
int guard__attach_xdp(struct guard *guard, unsigned ifindex, enum xdp_mode mode);
/* Ends the filter on an interface; one that is gone has none. */
void guard__detach_xdp(struct guard *guard, unsigned ifindex);
/* Whether the link that was made there still is: it goes with the interface, and other tools can detach it. */
bool guard__is_attached(const struct guard *guard, unsigned ifindex);
/* Whether the program there runs in the driver, rather than in generic mode. */
bool guard__is_native(unsigned ifindex);
/* Puts this program into the pinned link of a former `run`, without a gap. Takes over the descriptor `link_fd`. 1: the
 * interface of that link is gone, though there may be one with its number. */
int guard__takeover_xdp(struct guard *guard, unsigned ifindex, int link_fd);

/*
 * Puts the filter of `next`, which was loaded with the maps of `guard`, into the place of the present one on all
 * interfaces, without a gap; the tracker goes on. Takes over `next`. -1 after a message: the present one is in place.
 */
int guard__replace_filter(struct guard *guard, struct guard *next);

/* Pins every map and link below the directory `dir`; what stood there before is replaced. */
int guard__pin(struct guard *guard, const char *dir);

/* Counts the kernel's TCP sockets of the current namespace anew; `first`: see struct census. */
int guard__census(struct guard *guard, bool first, struct census *census);
/* Names the owners of existing sockets; *holders is set to an array (free() it) of listeners and who holds them. */
int guard__owners(struct guard *guard, struct holder **holders, size_t *count);

/* Every socket that config.filter lets through, in any state, one at a time; memory does not grow with their number.
 * Owners are known after guard__owners(). Ends early where `each` returns false. */
int guard__sockets(struct guard *guard, bool (*each)(void *context, const struct life *life), void *context);

/* Detaches what is not pinned, and frees. Accepts NULL. */
void guard__free(struct guard *guard);

#endif
