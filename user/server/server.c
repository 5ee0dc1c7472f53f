// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests and their pages, by libmicrohttpd: one polling thread, which also writes the pages, so that no lock is
 * needed. All clients together hold at most CLIENTS_MAX x CONNECTION_MEMORY (daemon.c), and HELD_MOST of pages, which
 * are packed, and one page more.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http.h"
#include "server/negotiate.h"
#include "server/reply.h"

#define HELD_BYTES	(1 << 20)  /* from which on slow readers have to go */
#define HELD_MOST	(2 << 20)  /* with what those have not given back yet */
#define READER_BYTES	(56 << 10) /* besides the page: zlib's window and state, the library's block */
#define SMALL_PAGE	(4 << 10)  /* is soon with the socket: never refused */
#define STALLED_SECONDS 60	   /* of a stream's client that reads nothing at all */
#define STREAM_SNDBUF	(64 << 10)

const char *server__query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void server__truncated(struct http_request *request)
{
	request->truncated = true;
}

/* The page's return value; -1 leaves nothing in `text`. */
static int write_page(struct http_request *request, struct packed *text)
{
	FILE *out = gzip_page__open(text);
	int ret;

	if (!out)
		return -1;
	ret = request->page->write(out, request->http->context, request);
	if (fclose(out) || ret < 0) {
		free(text->data);
		return -1;
	}
	return ret;
}

/* A status that the page returned, with the reason that it wrote. */
static enum MHD_Result refuse_with(struct MHD_Connection *connection, unsigned status, struct packed *text)
{
	struct unpacker *unpacker = gzip_page__unpack(text);
	char reason[256] = "";

	if (unpacker)
		gzip_page__read(unpacker, reason, sizeof(reason) - 1);
	gzip_page__free(unpacker);
	free(text->data);
	return reply__refuse(connection, status, reason);
}

static bool is_chosen(const struct http_request *request)
{
	const struct http *http = request->http;
	size_t rows = 0;

	for (size_t i = 0; i < http->count; i++)
		rows += !strcmp(http->pages[i].path, request->page->path);
	return rows > 1;
}

static enum MHD_Result serve_page(struct http_request *request)
{
	struct http *http = request->http;
	struct reply_page page = {.type = request->page->type, .chosen = is_chosen(request)};
	size_t held;
	int status;

	status = write_page(request, &page.text);
	if (status < 0)
		return reply__refuse(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				     "failed; synwarden's messages say why\n");
	if (status > 0)
		return refuse_with(request->connection, status, &page.text);
	held = page.text.size + READER_BYTES;
	if (http->held + held > HELD_BYTES)
		clients__release(&http->clients, http->held + held - HELD_BYTES);
	if (http->held && page.text.size > SMALL_PAGE && http->held + held > HELD_MOST) {
		free(page.text.data);
		return reply__refuse(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "too many pages wait for their clients; try again later\n");
	}
	page.truncated = request->truncated;
	request->client->held = held;
	http->held += held;
	return reply__page(request->connection, &page);
}

static enum MHD_Result serve_file(const struct http_request *request)
{
	const struct server_file *file = request->page->file;
	struct packed text = gzip_page__wrap(file->gzip, file->end);

	return reply__file(request->connection, request->page->type, &text);
}

/* From any thread. To resume what is not suspended yet makes that suspension void. */
static void wake(void *who)
{
	const struct http_request *request = who;

	MHD_resume_connection(request->connection);
}

static ssize_t read_stream(void *context, uint64_t at, char *to, size_t size)
{
	const struct http_request *request = context;
	ssize_t got;

	(void)at;
	if (request->client->leaves)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	got = request->page->stream->read(request->reader, to, size);
	if (!got)
		MHD_suspend_connection(request->connection);
	return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static ssize_t end_stream(void *context, uint64_t at, char *to, size_t size)
{
	(void)context, (void)at, (void)to, (void)size;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* A slow client's events wait in our queue, which notices its overflow, and not in the kernel's. */
static void prepare_stream(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int size = STREAM_SNDBUF;

	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)STALLED_SECONDS);
}

static enum MHD_Result serve_stream(struct http_request *request)
{
	const struct server_stream *stream = request->page->stream;

	if (request->head)
		return reply__stream(request->connection, request->page->type, end_stream, request);
	if (request->client->leaves)
		return MHD_NO;
	if (!request->reader && clients__follow(&request->http->clients, request->client, stream, stream->most))
		request->reader = stream->open(request->http->context, wake, request);
	if (!request->reader)
		return reply__refuse(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "as many clients as there may be follow already; try again later\n");
	switch (stream->ready(request->reader)) {
	case HTTP_READY:
		prepare_stream(request->connection);
		return reply__stream(request->connection, request->page->type, read_stream, request);
	case HTTP_NOT_YET:
		MHD_suspend_connection(request->connection);
		return MHD_YES;
	default:
		return reply__refuse(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				     "failed; synwarden's messages say why\n");
	}
}

/* Of the rows with this path the one whose type the client names with the best quality; else the first. */
static const struct server_page *find_page(const struct http *http, const char *path, const char *accept)
{
	const struct server_page *found = NULL, *page;

	for (page = http->pages; page < http->pages + http->count; page++) {
		if (strcmp(page->path, path))
			continue;
		if (!found || negotiate__quality(accept, page->type) > negotiate__quality(accept, found->type))
			found = page;
	}
	return found;
}

static struct client *client_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, const char *path, const char *method,
			     void **context)
{
	struct http_request *request = calloc(1, sizeof(*request));
	char accept[REPLY_HEADER_LEN];
	enum MHD_Result queued;

	if (!request || !client_of(connection)) {
		free(request);
		return MHD_NO;
	}
	*context = request;
	*request = (struct http_request){.http = http, .connection = connection, .client = client_of(connection)};
	clients__moved(request->client, true);
	atomic_fetch_add(&http->busy, 1);
	if (!admission__check(request, &queued))
		return queued;
	request->page = find_page(http, path, reply__header(connection, MHD_HTTP_HEADER_ACCEPT, accept));
	request->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
	if (!request->page)
		return reply__refuse(connection, MHD_HTTP_NOT_FOUND, "not found; / lists what there is\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && !request->head)
		return reply__refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "read only: GET or HEAD\n");
	return MHD_YES;
}

/*
 * Called when the headers are there, with each piece of a body, and at the end; again after a stream's client was
 * suspended. An answer before the end makes the library close the connection: right for what is refused. GET has no
 * body to speak of (RFC 9110, 9.3.1): cut off.
 */
enum MHD_Result server__answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *body, size_t *body_size, void **request)
{
	const struct server_page *page;

	(void)version, (void)body;
	if (!*request)
		return *body_size ? MHD_NO : begin(context, connection, path, method, request);
	if (*body_size)
		return MHD_NO;
	if (((struct http_request *)*request)->refusal)
		return reply__refuse(connection, ((struct http_request *)*request)->refusal,
				     "a wrong password came just now\n");
	page = ((struct http_request *)*request)->page;
	if (page->file)
		return serve_file(*request);
	return page->stream ? serve_stream(*request) : serve_page(*request);
}

void server__answered(void *context, struct MHD_Connection *connection, void **context_of_request,
		      enum MHD_RequestTerminationCode how)
{
	struct http_request *request = *context_of_request;
	struct http *http = context;

	(void)connection, (void)how;
	if (!request)
		return;
	*context_of_request = NULL;
	if (request->reader)
		request->page->stream->close(request->reader);
	http->held -= request->client->held;
	request->client->held = 0;
	request->client->follows = NULL;
	clients__moved(request->client, false);
	atomic_fetch_sub(&http->busy, 1);
	free(request);
}
