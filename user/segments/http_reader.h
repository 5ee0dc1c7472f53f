/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one side of a connection sends -> HTTP/1.x messages. http_reader.c is the only file that includes the parser's
 * library. Of a message are kept: method, host, path up to "?", status, version and lengths; nothing else of its head,
 * where credentials may be, and nothing of its body.
 */
#ifndef SYNWARDEN_SEGMENTS_HTTP_READER_H
#define SYNWARDEN_SEGMENTS_HTTP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_METHOD_LEN 24
#define HTTP_HOST_LEN	128
#define HTTP_PATH_LEN	256

struct http_head {
	bool is_answer;
	bool cut; /* the path or the host is longer than what is kept */
	uint8_t major, minor;
	uint16_t status; /* of an answer */
	char method[HTTP_METHOD_LEN];
	char host[HTTP_HOST_LEN]; /* "": there is none */
	char path[HTTP_PATH_LEN]; /* without query and fragment */
};

/* What follows the head of a message. */
enum http_body {
	HTTP_BODY_AS_SAID, /* what its head says */
	HTTP_BODY_NONE,	   /* nothing, whatever its head says: an answer to HEAD */
	HTTP_BODY_TUNNEL,  /* no HTTP any more */
};

/* How well the moment of a message's end is known. */
enum http_known {
	HTTP_KNOWN_EXACT,
	HTTP_KNOWN_CHUNKED, /* heuristic: a segment ended as a chunked body does */
	HTTP_KNOWN_AT_MOST, /* it had ended by then */
	HTTP_KNOWN_MAX,
};

struct http_reader_events {
	/* The head of a message is complete. */
	enum http_body (*head)(void *context, const struct http_head *head);
	/* The message that `head` was called for has ended. */
	void (*end)(void *context, enum http_known known);
	void *context;
};

struct http_reader;

/* NULL: out of memory. */
struct http_reader *http_reader__new(const struct http_reader_events *events);

/* The next bytes. -1: they are no HTTP/1.x; the reader takes what follows for part of the same until it is resumed. */
int http_reader__feed(struct http_reader *reader, const uint8_t *data, size_t len);
/* The next `len` bytes are not known; `late`: nor when they came, but that it was before now. They may have been the
 * body of the message; where they cannot have been that alone, the reader loses its way. */
void http_reader__skip(struct http_reader *reader, uint64_t len, bool late);
/* The last bytes of a segment, all of which was fed or skipped: they tell the end of a chunked body. */
void http_reader__tail(struct http_reader *reader, const uint8_t tail[8]);
/* Nothing more comes: the end of a message without a length. */
void http_reader__finish(struct http_reader *reader);

/* Whether it does not know which byte of a message comes next. */
bool http_reader__is_lost(const struct http_reader *reader);
/* A lost reader takes the next byte as the first of an answer, or of a request. The message that it was in ends, at
 * most now. */
void http_reader__resume(struct http_reader *reader, bool is_answer);
/* Whether these may be the first bytes of an answer, or of a request: a guess, for a lost reader. */
bool http_reader__may_begin(const uint8_t *data, size_t len, bool is_answer);

/* Bytes that were fed and skipped. */
uint64_t http_reader__position(const struct http_reader *reader);
/* Where the message began whose head came last; or the one that is being read. */
uint64_t http_reader__begun_at(const struct http_reader *reader);
/* Whether it is within a message. */
bool http_reader__is_within(const struct http_reader *reader);

void http_reader__free(struct http_reader *reader);

#endif
