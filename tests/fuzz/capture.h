/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader of captured packets. Input: a byte that names the link type, then the packet. Whatever the bytes are, no
 * more of them is read than there are, what is taken for a segment is one, and its line of HTTP is harmless.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_CAPTURE_H
#define SYNWARDEN_TESTS_FUZZ_CAPTURE_H

#include "fuzz.h"
#include "segments/headers.h"
#include "segments/http_line.h"

static void check_segment(const struct segment *segment, const uint8_t *packet, size_t size)
{
	struct headers_payload payload;
	struct segment longer = {};
	uint8_t *padded;

	PROPERTY(segment->segs == 1, "%u segments in one packet", segment->segs);
	PROPERTY(segment->flags & SEGMENT_ACK || !segment->ack, "ack %u without the flag", segment->ack);
	PROPERTY(segment->len <= size + UINT16_MAX, "%u bytes of payload in a packet of %zu", segment->len, size);
	/* What is behind the packet does not change its headers. */
	padded = calloc(1, size + 64);
	if (!padded)
		abort();
	memcpy(padded, packet + 1, size);
	if (headers__parse(&longer, &payload, packet[0] % 5, padded, size + 64) == HEADERS_TCP) {
		PROPERTY(longer.seq == segment->seq && longer.sport == segment->sport &&
				 !memcmp(&longer.src, &segment->src, sizeof(longer.src)),
			 "padding changes the headers");
	}
	free(padded);
}

static void check_line(const struct headers_payload *payload, const uint8_t *end)
{
	char line[HTTP_LINE_BYTES];

	PROPERTY(payload->bytes + payload->captured <= end, "%zu bytes of payload", payload->captured);
	http_line__read(line, payload->bytes, payload->captured);
	PROPERTY(strnlen(line, sizeof(line)) < sizeof(line), "a line without an end");
	for (const char *at = line; *at; at++)
		PROPERTY(*at >= ' ' && *at <= '~', "a terminal would obey %02x", (unsigned char)*at);
}

static inline void fuzz_capture(const uint8_t *data, size_t size)
{
	struct headers_payload payload;
	struct segment segment = {};
	uint8_t *packet;

	if (!size)
		return;
	packet = malloc(size); /* ends where the packet ends: a read beyond is found */
	if (!packet)
		abort();
	memcpy(packet, data, size);
	if (headers__parse(&segment, &payload, packet[0] % 5, packet + 1, size - 1) == HEADERS_TCP) {
		check_segment(&segment, packet, size - 1);
		check_line(&payload, packet + size);
	}
	free(packet);
}

#endif
