/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that is kept as gzip from its first byte on, and unpacked again piece by piece: a page of JSON takes a fifteenth
 * of its length while its client reads it, in whatever form the client wants it.
 */
#ifndef SYNWARDEN_SERVER_GZIP_PAGE_H
#define SYNWARDEN_SERVER_GZIP_PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct packed {
	unsigned char *data; /* gzip; free() it */
	size_t size;
	size_t length; /* of the text */
};

/* What is written there is packed; fclose() ends it, and tells of a failure. NULL where memory is short. */
FILE *gzip_page__open(struct packed *packed);

/* Text that is there as gzip (RFC 1952), from `data` up to `end`. It is not copied. */
struct packed gzip_page__wrap(const unsigned char *data, const unsigned char *end);
/* The CRC-32 of the text. */
uint32_t gzip_page__crc(const struct packed *packed);

struct unpacker;

/* `packed` must outlive it. NULL where memory is short. */
struct unpacker *gzip_page__unpack(const struct packed *packed);
/* The next bytes of the text; 0 at its end, -1 where memory is short. */
ssize_t gzip_page__read(struct unpacker *unpacker, char *to, size_t size);
/* Accepts NULL. */
void gzip_page__free(struct unpacker *unpacker);

#endif
