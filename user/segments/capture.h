/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capture files, pcap and pcapng, through libpcap. Files alone: nothing is captured live by it, so that it needs no
 * right but to read the file.
 */
#ifndef SYNWARDEN_SEGMENTS_CAPTURE_H
#define SYNWARDEN_SEGMENTS_CAPTURE_H

#include <stdint.h>

#include "segments.h"
#include "segments/http_line.h"

struct capture;

/* What a file holds besides its segments; all counts of packets. */
struct capture_notes {
	uint64_t packets;
	uint64_t cut;	    /* captured with too small a snaplen to hold the headers */
	uint64_t malformed; /* lengths that contradict each other */
	char end[256];	    /* why reading stopped before the end of the file; "" where it did not */
};

/* Opens a file, "-" for standard input. NULL after a message. */
struct capture *capture__open(const char *path);

/* The next TCP segment, of kind SEGMENT_CAPTURED with its time in nanoseconds, and the line of HTTP that its payload
 * begins with, or "". 1; 0 at the end of what can be read, which capture__notes() explains. */
int capture__next(struct capture *capture, struct segment *segment, char line[HTTP_LINE_BYTES]);

const struct capture_notes *capture__notes(const struct capture *capture);

/* NULL is accepted. */
void capture__close(struct capture *capture);

#endif
