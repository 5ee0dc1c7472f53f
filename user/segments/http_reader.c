// SPDX-License-Identifier: GPL-2.0-only
/*
 * By Debian's http-parser. It is stopped at the end of each message, so that the position there is known. Bytes of a
 * body that were not copied are taken from the length that the parser still expects.
 */
#include <stdlib.h>
#include <string.h>

#include <http_parser.h>

#include "segments/http_reader.h"

#define NAME_LEN 24 /* of a field that matters, and more */

struct http_reader {
	http_parser parser;
	struct http_reader_events events;
	struct http_head head;
	size_t path_len, host_len, name_len;
	char name[NAME_LEN]; /* of the field that is being read */
	bool in_query, in_value;
	bool within;   /* a message has begun and not ended */
	bool has_head; /* its head is complete */
	bool in_chunk;
	bool lost;
	bool late; /* what is being read came at an unknown time */
	bool ended;
	bool tunnel;
	uint64_t position, begun_at;
};

static int on_begin(http_parser *parser)
{
	struct http_reader *r = parser->data;

	memset(&r->head, 0, sizeof(r->head));
	r->path_len = r->host_len = r->name_len = 0;
	r->within = true;
	r->has_head = r->in_chunk = r->in_query = r->in_value = false;
	return 0;
}

/* Appends to a text of which `*len` bytes are there. */
static void append(struct http_reader *r, char *text, size_t size, size_t *len, const char *at, size_t n)
{
	size_t room = size - 1 - *len;

	if (n > room) {
		r->head.cut = true;
		n = room;
	}
	memcpy(text + *len, at, n);
	*len += n;
	text[*len] = '\0';
}

/* As far as the query. */
static int on_url(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *r = parser->data;
	size_t n = 0;

	while (!r->in_query && n < len && at[n] != '?' && at[n] != '#')
		n++;
	append(r, r->head.path, sizeof(r->head.path), &r->path_len, at, r->in_query ? 0 : n);
	r->in_query |= n < len;
	return 0;
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *r = parser->data;
	bool cut = r->head.cut;

	if (r->in_value)
		r->name_len = 0;
	r->in_value = false;
	append(r, r->name, sizeof(r->name), &r->name_len, at, len);
	r->head.cut = cut;
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *r = parser->data;

	if (!r->in_value && !strcasecmp(r->name, "host"))
		r->host_len = 0;
	r->in_value = true;
	if (!strcasecmp(r->name, "host"))
		append(r, r->head.host, sizeof(r->head.host), &r->host_len, at, len);
	return 0;
}

/* Of "http://user:secret@host/path" only host and path are kept. */
static void keep_path(struct http_head *head)
{
	char *scheme = strstr(head->path, "://"), *authority, *path, *user;

	if (!scheme || *head->path == '/')
		return;
	authority = scheme + 3;
	path = strchr(authority, '/');
	user = authority;
	for (char *at = authority; (at = strchr(at, '@')) && (!path || at < path); at++)
		user = at + 1;
	if (!*head->host) {
		size_t len = path ? (size_t)(path - user) : strlen(user);

		len = len < sizeof(head->host) - 1 ? len : sizeof(head->host) - 1;
		memcpy(head->host, user, len);
		head->host[len] = '\0';
	}
	memmove(head->path, path ? path : "/", path ? strlen(path) + 1 : 2);
}

static int on_head(http_parser *parser)
{
	struct http_reader *r = parser->data;
	struct http_head *head = &r->head;
	enum http_body body;

	head->is_answer = parser->type == HTTP_RESPONSE;
	head->major = parser->http_major;
	head->minor = parser->http_minor;
	if (head->is_answer)
		head->status = parser->status_code;
	else
		strncpy(head->method, http_method_str(parser->method), sizeof(head->method) - 1);
	keep_path(head);
	r->has_head = true;
	body = r->events.head(r->events.context, head);
	explicit_bzero(r->name, sizeof(r->name));
	r->tunnel = body == HTTP_BODY_TUNNEL;
	/* A request that offers an upgrade is an ordinary one until the answer accepts. */
	if (!head->is_answer)
		parser->upgrade = 0;
	return body;
}

static int on_chunk(http_parser *parser)
{
	((struct http_reader *)parser->data)->in_chunk = true;
	return 0;
}

static int on_chunk_end(http_parser *parser)
{
	((struct http_reader *)parser->data)->in_chunk = false;
	return 0;
}

static int on_end(http_parser *parser)
{
	struct http_reader *r = parser->data;

	r->ended = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_message_begin = on_begin,
	.on_url = on_url,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_message_complete = on_end,
	.on_chunk_header = on_chunk,
	.on_chunk_complete = on_chunk_end,
};

static void restart(struct http_reader *r)
{
	enum http_parser_type type = r->parser.type;

	http_parser_init(&r->parser, type);
	r->parser.data = r;
	r->within = r->has_head = r->in_chunk = r->ended = false;
}

struct http_reader *http_reader__new(const struct http_reader_events *events)
{
	struct http_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->parser.type = HTTP_BOTH;
	restart(r);
	r->events = *events;
	return r;
}

/* The message is over; what follows it is another one. */
static void end(struct http_reader *r, enum http_known known)
{
	bool has_head = r->has_head;

	restart(r);
	r->begun_at = r->position;
	if (has_head)
		r->events.end(r->events.context, known);
}

static int lose(struct http_reader *r)
{
	r->lost = true;
	return -1;
}

int http_reader__feed(struct http_reader *r, const uint8_t *data, size_t len)
{
	size_t done;

	while (len) {
		if (r->lost || r->tunnel) {
			r->position += len;
			return r->lost ? -1 : 0;
		}
		done = http_parser_execute(&r->parser, &settings, (const char *)data, len);
		r->position += done;
		data += done;
		len -= done;
		if (r->ended) {
			end(r, r->late ? HTTP_KNOWN_AT_MOST : HTTP_KNOWN_EXACT);
		} else if (HTTP_PARSER_ERRNO(&r->parser) != HPE_OK || (len && !done)) {
			r->position += len;
			return lose(r);
		}
	}
	return 0;
}

/* A body of known length: the parser is given its last byte, so that it sees the end. */
static uint64_t skip_body(struct http_reader *r, uint64_t len)
{
	uint64_t left = r->parser.content_length;

	if (len < left) {
		r->parser.content_length -= len;
		r->position += len;
		return 0;
	}
	r->parser.content_length = 1;
	r->position += left - 1;
	http_reader__feed(r, (const uint8_t *)"x", 1);
	return len - left;
}

void http_reader__skip(struct http_reader *r, uint64_t len, bool late)
{
	bool has_length = r->parser.content_length && r->parser.content_length != UINT64_MAX;

	r->late = late;
	if (len && !r->lost && !r->tunnel && r->has_head) {
		if (r->in_chunk ? len < r->parser.content_length : has_length && !(r->parser.flags & F_CHUNKED))
			len = skip_body(r, len);
		else if (!r->in_chunk && !(r->parser.flags & F_CHUNKED) && !has_length) {
			r->position += len;
			len = 0;
		}
	}
	r->late = false;
	r->position += len;
	if (len && !r->tunnel)
		lose(r);
}

void http_reader__tail(struct http_reader *r, const uint8_t tail[8])
{
	if (!r->lost || !r->has_head || !(r->parser.flags & F_CHUNKED) || memcmp(tail + 3, "0\r\n\r\n", 5))
		return;
	r->lost = false;
	end(r, HTTP_KNOWN_CHUNKED);
}

void http_reader__finish(struct http_reader *r)
{
	if (r->lost || r->tunnel || !r->within)
		return;
	http_parser_execute(&r->parser, &settings, NULL, 0);
	if (r->ended)
		end(r, HTTP_KNOWN_EXACT);
}

bool http_reader__is_lost(const struct http_reader *r)
{
	return r->lost;
}

void http_reader__resume(struct http_reader *r, bool is_answer)
{
	r->lost = false;
	r->parser.type = is_answer ? HTTP_RESPONSE : HTTP_REQUEST;
	end(r, HTTP_KNOWN_AT_MOST);
}

bool http_reader__may_begin(const uint8_t *data, size_t len, bool is_answer)
{
	size_t i;

	if (is_answer)
		return len >= 7 && !memcmp(data, "HTTP/1.", 7);
	for (i = 0; i < len && i < HTTP_METHOD_LEN && data[i] >= 'A' && data[i] <= 'Z'; i++)
		;
	return i && i < len && data[i] == ' ';
}

uint64_t http_reader__position(const struct http_reader *r)
{
	return r->position;
}

uint64_t http_reader__begun_at(const struct http_reader *r)
{
	return r->begun_at;
}

bool http_reader__is_within(const struct http_reader *r)
{
	return r->within;
}

void http_reader__free(struct http_reader *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof(*r));
	free(r);
}
