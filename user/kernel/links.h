/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The links that hold the filter on the interfaces: made, taken over from a former `run`, replaced, pinned.
 * Functions return 0, or -1 after a message, unless said otherwise.
 */
#ifndef SYNWARDEN_KERNEL_LINKS_H
#define SYNWARDEN_KERNEL_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

enum xdp_mode {
	XDP_MODE_AUTO, /* native, else generic */
	XDP_MODE_NATIVE,
	XDP_MODE_GENERIC,
};

/* All zero: there is none. */
struct links {
	struct {
		unsigned ifindex;
		int fd;
	} all[META_INTERFACES];
	size_t count;
};

/* Attaches the program with the descriptor `filter`. A foreign program on the interface is named and left alone. */
int links__attach(struct links *links, int filter, unsigned ifindex, enum xdp_mode mode);
/* Puts the program into the pinned link of a former `run`, without a gap. Takes over the descriptor `link`. 1: the
 * interface of that link is gone, though there may be another one with its number. */
int links__take_over(struct links *links, int filter, unsigned ifindex, int link);
/* Ends the filter on an interface; nothing where there is none. */
void links__detach(struct links *links, unsigned ifindex);
/* Puts the program `after` in place of `before` on all interfaces, without a gap. -1: `before` is in place on all. */
int links__replace(const struct links *links, int before, int after);
/* Pins all below the directory `dir`. */
int links__pin(const struct links *links, const char *dir);

/* Whether the link that was made there still holds: it goes with the interface, and other tools can detach it. */
bool links__is_attached(const struct links *links, unsigned ifindex);
/* Whether the program there runs in the driver, rather than in generic mode. */
bool links__is_native(unsigned ifindex);

/* Closes the descriptors: what is not pinned is detached. */
void links__close(struct links *links);

#endif
