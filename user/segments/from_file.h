/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture file -> ladders.
 */
#ifndef SYNWARDEN_SEGMENTS_FROM_FILE_H
#define SYNWARDEN_SEGMENTS_FROM_FILE_H

#include <stdint.h>

#include "segments/ladder.h"
#include "types.h"

struct from_file {
	const char *path;	   /* "-": standard input */
	uint16_t port;		   /* either port; 0: all */
	const struct prefix *addr; /* either address is within; NULL: all */
	uint32_t connections;	   /* the first ones alone */
	uint32_t count;		   /* segments of each; 0: all */
};

/* Shows the file's connections, one behind the other. 0; -1 after a message. */
int from_file__show(const struct from_file *from, const struct ladder_format *format, struct ladder *ladder);

#endif
