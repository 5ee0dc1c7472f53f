// SPDX-License-Identifier: GPL-2.0-only
/*
 * Responses and their headers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/negotiate.h"
#include "server/reply.h"

#define BLOCK 16384

struct joined {
	const char *name;
	char *text;
	bool any;
};

static enum MHD_Result join(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct joined *joined = context;
	size_t len = strlen(joined->text);

	(void)kind;
	if (strcasecmp(name, joined->name) || !value || len + strlen(value) + sizeof(",") > REPLY_HEADER_LEN)
		return MHD_YES;
	if (joined->any)
		joined->text[len++] = ',';
	strcpy(joined->text + len, value);
	joined->any = true;
	return MHD_YES;
}

const char *reply__header(struct MHD_Connection *connection, const char *name, char text[REPLY_HEADER_LEN])
{
	struct joined joined = {.name = name, .text = text};

	*text = '\0';
	MHD_get_connection_values(connection, MHD_HEADER_KIND, join, &joined);
	return joined.any ? text : NULL;
}

/* Takes over `response`; NULL is a failure. */
static enum MHD_Result queue_kept(struct MHD_Connection *connection, unsigned status, const char *type,
				  struct MHD_Response *response, const char *how_long)
{
	enum MHD_Result queued;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, how_long);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	queued = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status, const char *type,
			     struct MHD_Response *response)
{
	return queue_kept(connection, status, type, response, "no-store");
}

/* A page on its way to a client that takes it unpacked. */
struct sending {
	struct packed text;
	bool owned;
	struct unpacker *unpacker;
};

static ssize_t read_page(void *context, uint64_t at, char *to, size_t size)
{
	struct sending *sending = context;
	ssize_t got = gzip_page__read(sending->unpacker, to, size);

	(void)at;
	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_sending(void *context)
{
	struct sending *sending = context;

	gzip_page__free(sending->unpacker);
	if (sending->owned)
		free(sending->text.data);
	free(sending);
}

static struct MHD_Response *make_unpacked(const struct packed *text, bool owned)
{
	struct sending *sending = calloc(1, sizeof(*sending));
	struct MHD_Response *response = NULL;

	if (!sending) {
		if (owned)
			free(text->data);
		return NULL;
	}
	sending->text = *text;
	sending->owned = owned;
	sending->unpacker = gzip_page__unpack(&sending->text);
	if (sending->unpacker)
		response = MHD_create_response_from_callback(text->length, BLOCK, read_page, sending, free_sending);
	if (!response)
		free_sending(sending);
	return response;
}

static struct MHD_Response *make_packed(const struct packed *text, bool owned)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		text->size, text->data, owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	else if (owned)
		free(text->data);
	return response;
}

/* In the form that the client wants; `owned`: takes over its memory. */
static struct MHD_Response *make(struct MHD_Connection *connection, const struct packed *text, bool owned)
{
	char encodings[REPLY_HEADER_LEN];

	if (text->size < text->length &&
	    negotiate__gzip(reply__header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING, encodings)))
		return make_packed(text, owned);
	return make_unpacked(text, owned);
}

enum MHD_Result reply__page(struct MHD_Connection *connection, const struct reply_page *page)
{
	struct MHD_Response *response = make(connection, &page->text, true);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY,
				page->chosen ? "Accept, Accept-Encoding" : "Accept-Encoding");
	if (page->truncated)
		MHD_add_response_header(response, "X-Truncated", "true");
	return queue(connection, MHD_HTTP_OK, page->type, response);
}

/* What a page in a browser may do: load what comes from here, and nothing else; be in no frame. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
			     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* The same for both forms of a text: weak (RFC 9110, 8.8.1). */
static bool has_it(struct MHD_Connection *connection, const char *etag)
{
	char header[REPLY_HEADER_LEN];
	const char *known = reply__header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH, header);

	return known && strstr(known, etag);
}

enum MHD_Result reply__file(struct MHD_Connection *connection, const char *type, const struct packed *text)
{
	struct MHD_Response *response;
	unsigned status = MHD_HTTP_OK;
	char etag[32];

	snprintf(etag, sizeof(etag), "W/\"%08" PRIx32 "-%zx\"", gzip_page__crc(text), text->length);
	if (has_it(connection, etag)) {
		status = MHD_HTTP_NOT_MODIFIED;
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		response = make(connection, text, false);
	}
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	MHD_add_response_header(response, "Content-Security-Policy", policy);
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	return queue_kept(connection, status, type, response, "no-cache");
}

enum MHD_Result reply__stream(struct MHD_Connection *connection, const char *type, MHD_ContentReaderCallback read,
			      void *context)
{
	return queue(connection, MHD_HTTP_OK, type,
		     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read, context, NULL));
}

static const struct {
	unsigned status;
	const char *header, *value;
} extras[] = {
	{MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD"},
	{MHD_HTTP_UNAUTHORIZED, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"synwarden\", charset=\"UTF-8\""},
	{MHD_HTTP_TOO_MANY_REQUESTS, MHD_HTTP_HEADER_RETRY_AFTER, "1"},
	{MHD_HTTP_SERVICE_UNAVAILABLE, MHD_HTTP_HEADER_RETRY_AFTER, "5"},
};

enum MHD_Result reply__refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		if (extras[i].status == status)
			MHD_add_response_header(response, extras[i].header, extras[i].value);
	return queue(connection, status, "text/plain; charset=utf-8", response);
}
