/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module kernel is all that touches BPF: object, links, pins, maps, and the sysctls that the filter depends on. It
 * may include config, system and text.
 *
 * The BPF object: open, configure, load, attach the tracker, pin. The only file that includes the skeleton is
 * programs.c. Functions return 0, or -1 after a message that says what failed and what fixes it.
 */
#ifndef SYNWARDEN_KERNEL_PROGRAMS_H
#define SYNWARDEN_KERNEL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/maps.h"
#include "types.h"

enum program_parts {
	PROGRAMS_FILTER = 1,	/* filter_packet, explain_packet */
	PROGRAMS_TRACKER = 2,	/* transitions */
	PROGRAMS_CENSUS = 4,	/* the kernel's tables, resets and retransmissions */
	PROGRAMS_OWNERS = 8,	/* owners of sockets, for a stream; needs the next */
	PROGRAMS_READERS = 128, /* owners of accepted sockets by their first reader: runs at each read of a socket */
	PROGRAMS_SEGMENTS = 32, /* segments that are sent, received or dropped: for STREAM_LADDER */
	PROGRAMS_HTTP = 64,	/* what passes to and from sockets, for STREAM_HTTP and `run --http on` */
	PROGRAMS_LISTS = 16,	/* lists of sockets and of their holders: costs nothing until read */
};

struct programs;

/*
 * Loads the chosen parts with `config` frozen in. `reuse`, where not NULL, are the maps of a former `run` to use
 * instead of new ones, all but `port_rules`.
 */
int programs__load(struct programs **programs, const struct config *config, unsigned parts, const struct maps *reuse);
const struct maps *programs__maps(const struct programs *programs);
/* File descriptors of filter_packet, and of explain_packet for explain__ask(). */
int programs__filter_fd(const struct programs *programs);
int programs__explain_fd(const struct programs *programs);

/* The length of a ring's slot, which depends on what is streamed. */
size_t programs__slot_bytes(const struct config *config);
/* The file descriptors of the rings' maps. Returns whether there are any. */
bool programs__rings(const struct programs *programs, int *rings, int *slots);
/*
 * Writes to all rings, before the tracker is attached: where memory is mapped only once it is touched (in some
 * virtual machines), that takes microseconds a page, and must not happen while the kernel receives packets. Best
 * effort.
 */
void programs__touch_rings(const struct programs *programs);
/* Ends the closed connections of the tracker that can wait for a FIN no more. For once a second or so. */
void programs__sweep_closings(const struct programs *programs);

/* Attaches the tracker, which counts in place of that of a former `run` from one moment on. Where `dir` is not NULL,
 * its links replace those that are pinned there. */
int programs__attach_tracker(struct programs *programs, const char *dir);

/* Attaches PROGRAMS_HTTP to the root of the cgroup hierarchy. They are never pinned, and end with the process. *whole:
 * see cgroups__open_root(). */
int programs__attach_http(struct programs *programs, bool *whole);

/*
 * Takes over `next`, a filter that was loaded with the maps of `programs` and is on all interfaces by now, and frees
 * the one that it replaces; the tracker stays as it is.
 */
void programs__replace_filter(struct programs *programs, struct programs *next);

/* Pins every map, explain_packet and every link of the tracker below the directory `dir`; what stood there before is
 * replaced. */
int programs__pin(struct programs *programs, const char *dir);

/* Counts the kernel's TCP sockets of the current namespace anew; `first`: see struct census. */
int programs__census(struct programs *programs, bool first, struct census *census);
/* Finds the owners of existing sockets; *holders is set to an array (free() it) of listeners and their holders. */
int programs__owners(struct programs *programs, struct holder **holders, size_t *count);

/* Calls `each` for every socket that config.filter lets through, in any state; memory does not grow with their number.
 * Owners are known after programs__owners(). Ends early where `each` returns false. */
int programs__sockets(struct programs *programs, bool (*each)(void *context, const struct life *life), void *context);

/* Detaches what is not pinned, and frees. Accepts NULL. */
void programs__free(struct programs *programs);

#endif
