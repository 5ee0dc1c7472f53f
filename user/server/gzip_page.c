// SPDX-License-Identifier: GPL-2.0-only
/*
 * zlib behind a FILE, and in front of one reader. Pages are packed as they are written and stay packed: /api/conns with
 * 10,000 connections is 4 MB, three slow readers of that as plain text would take `run` above its 16 MiB, and 48 may
 * wait.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "server/gzip_page.h"

#define GZIP_WINDOW (15 + 16) /* zlib's way to say gzip */
#define GZIP_MEMORY 8	      /* zlib's default */
#define FIRST_ROOM  8192

struct packer {
	struct packed *packed;
	z_stream stream;
	size_t room;
};

/* Room for more of the packed text; false where there is none. */
static bool grow(struct packer *packer)
{
	size_t room = packer->room ? 2 * packer->room : FIRST_ROOM;
	unsigned char *grown = realloc(packer->packed->data, room);

	if (!grown)
		return false;
	packer->packed->data = grown;
	packer->stream.next_out = grown + packer->packed->size;
	packer->stream.avail_out = room - packer->packed->size;
	packer->room = room;
	return true;
}

/* All of the input; with Z_FINISH, also all of what zlib holds back. */
static bool deflate_all(struct packer *packer, int flush)
{
	int status;

	do {
		if (!packer->stream.avail_out && !grow(packer))
			return false;
		status = deflate(&packer->stream, flush);
		packer->packed->size = packer->room - packer->stream.avail_out;
	} while (flush == Z_FINISH ? status == Z_OK || status == Z_BUF_ERROR : packer->stream.avail_in);
	return status == Z_OK || status == Z_STREAM_END;
}

static ssize_t write_packed(void *cookie, const char *text, size_t size)
{
	struct packer *packer = cookie;

	packer->stream.next_in = (Bytef *)text;
	packer->stream.avail_in = size;
	packer->packed->length += size;
	return deflate_all(packer, Z_NO_FLUSH) ? (ssize_t)size : 0; /* 0 is how a cookie says that it failed */
}

static int close_packed(void *cookie)
{
	struct packer *packer = cookie;
	int ret = deflate_all(packer, Z_FINISH) ? 0 : -1;

	deflateEnd(&packer->stream);
	free(packer);
	return ret;
}

FILE *gzip_page__open(struct packed *packed)
{
	const cookie_io_functions_t functions = {.write = write_packed, .close = close_packed};
	struct packer *packer = calloc(1, sizeof(*packer));
	FILE *out;

	*packed = (struct packed){};
	if (!packer)
		return NULL;
	packer->packed = packed;
	if (deflateInit2(&packer->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		free(packer);
		return NULL;
	}
	out = fopencookie(packer, "w", functions);
	if (!out) {
		deflateEnd(&packer->stream);
		free(packer);
	}
	return out;
}

/* The last eight bytes: the text's CRC-32, and its length. */
static uint32_t trailer(const struct packed *packed, size_t from_end)
{
	uint32_t word;

	memcpy(&word, packed->data + packed->size - from_end, sizeof(word));
	return le32toh(word);
}

struct packed gzip_page__wrap(const unsigned char *data, const unsigned char *end)
{
	struct packed packed = {.data = (unsigned char *)data, .size = end - data};

	packed.length = trailer(&packed, 4);
	return packed;
}

uint32_t gzip_page__crc(const struct packed *packed)
{
	return trailer(packed, 8);
}

struct unpacker {
	z_stream stream;
};

struct unpacker *gzip_page__unpack(const struct packed *packed)
{
	struct unpacker *unpacker = calloc(1, sizeof(*unpacker));

	if (!unpacker)
		return NULL;
	unpacker->stream.next_in = packed->data;
	unpacker->stream.avail_in = packed->size;
	if (inflateInit2(&unpacker->stream, GZIP_WINDOW) == Z_OK)
		return unpacker;
	free(unpacker);
	return NULL;
}

ssize_t gzip_page__read(struct unpacker *unpacker, char *to, size_t size)
{
	int status;

	unpacker->stream.next_out = (Bytef *)to;
	unpacker->stream.avail_out = size;
	status = inflate(&unpacker->stream, Z_NO_FLUSH);
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return -1;
	return size - unpacker->stream.avail_out;
}

void gzip_page__free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	inflateEnd(&unpacker->stream);
	free(unpacker);
}
