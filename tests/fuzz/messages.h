/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader of HTTP messages. Input: a byte of flags, a byte that cuts, then what one side of a connection sends. In
 * whatever pieces it comes, the same messages are read, and of all bytes it is known where they stand.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_MESSAGES_H
#define SYNWARDEN_TESTS_FUZZ_MESSAGES_H

#include "fuzz.h"
#include "segments/http_reader.h"

struct messages {
	struct http_reader *reader;
	FILE *out;
	uint8_t flags;
};

static enum http_body messages_head(void *context, const struct http_head *head)
{
	const struct messages *messages = context;

	PROPERTY(strlen(head->method) < HTTP_METHOD_LEN && strlen(head->host) < HTTP_HOST_LEN &&
			 strlen(head->path) < HTTP_PATH_LEN,
		 "a text does not end");
	PROPERTY(!strchr(head->path, '?') && !strchr(head->path, '#'), "a query is kept: %s", head->path);
	fprintf(messages->out, "at %lu: %d %d %u.%u %u \"%s\" \"%s\" \"%s\"\n", http_reader__begun_at(messages->reader),
		head->is_answer, head->cut, head->major, head->minor, head->status, head->method, head->host,
		head->path);
	if (messages->flags & 1)
		return HTTP_BODY_NONE;
	return messages->flags & 2 && head->status == 101 ? HTTP_BODY_TUNNEL : HTTP_BODY_AS_SAID;
}

static void messages_end(void *context, enum http_known known)
{
	const struct messages *messages = context;

	fprintf(messages->out, "ends at %lu: %d\n", http_reader__position(messages->reader), known);
}

/* What is read of it, as text; the caller frees it. `cut`: how the lengths of the pieces come about; 0: one piece. */
static char *read_messages(const uint8_t *data, size_t size, uint8_t flags, uint8_t cut)
{
	struct messages messages = {.flags = flags};
	const struct http_reader_events events = {messages_head, messages_end, &messages};
	size_t bytes, len, done = 0;
	char *text;

	messages.out = open_memstream(&text, &bytes);
	messages.reader = http_reader__new(&events);
	if (!messages.out || !messages.reader)
		abort();
	for (unsigned n = 1; done < size; done += len, n++) {
		uint8_t *piece;

		len = cut ? 1 + n * cut % 61 : size;
		len = len < size - done ? len : size - done;
		piece = malloc(len ?: 1); /* ends where the piece does */
		if (!piece)
			abort();
		memcpy(piece, data + done, len);
		http_reader__feed(messages.reader, piece, len);
		free(piece);
		PROPERTY(http_reader__position(messages.reader) == done + len, "%lu bytes of %zu",
			 http_reader__position(messages.reader), done + len);
	}
	http_reader__finish(messages.reader);
	fprintf(messages.out, "%s\n", http_reader__is_lost(messages.reader) ? "lost" : "read");
	http_reader__free(messages.reader);
	fclose(messages.out);
	return text;
}

static inline void fuzz_messages(const uint8_t *data, size_t size)
{
	char *whole, *pieces, *bytes;

	if (size < 2)
		return;
	whole = read_messages(data + 2, size - 2, data[0], 0);
	pieces = read_messages(data + 2, size - 2, data[0], data[1] | 1);
	bytes = read_messages(data + 2, size - 2, data[0], 61);
	PROPERTY(!strcmp(whole, pieces), "in pieces by %u:\n%s\nand not\n%s", data[1], pieces, whole);
	PROPERTY(!strcmp(whole, bytes), "byte by byte:\n%s\nand not\n%s", bytes, whole);
	free(whole);
	free(pieces);
	free(bytes);
}

#endif
