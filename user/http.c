// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport below the endpoint, by libmicrohttpd: one polling thread, which also writes the pages, so that no lock
 * is needed. Whoever connects can hold at most GUESTS_MAX x CONNECTION_MEMORY, and all of them together HELD_MOST of
 * pages, which are packed, and one page more.
 */
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "guests.h"
#include "http.h"
#include "listen.h"
#include "log.h"
#include "negotiate.h"
#include "print.h"
#include "reply.h"
#include "tls.h"

#define BACKLOG		  1024
#define CONNECTION_MEMORY 16384	     /* headers included; a browser sends localhost's cookies to every port */
#define HELD_BYTES	  (1 << 20)  /* from which on slow readers have to go */
#define HELD_MOST	  (2 << 20)  /* with what those have not given back yet */
#define READER_BYTES	  (56 << 10) /* besides the page: zlib's window and state, the library's block */
#define SMALL_PAGE	  (4 << 10)  /* is soon with the socket: never refused */
#define IDLE_SECONDS	  10
#define STALLED_SECONDS	  60 /* of a stream's client that reads nothing at all */
#define STREAM_SNDBUF	  (64 << 10)
#define STOP_STEP_MS	  10
#define STOP_STEPS	  100

struct http {
	int socket; /* listening, until the daemon has it; -1: none */
	struct MHD_Daemon *daemon;
	const struct http_page *pages;
	size_t count;
	void *context;
	struct tls tls;
	struct auth *auth;
	struct guests guests;
	size_t held;	  /* bytes of pages that clients have not fetched yet */
	atomic_uint busy; /* answers under way; keep-alive connections that wait are not */
};

struct http_request {
	struct http *http;
	struct MHD_Connection *connection;
	struct guest *guest;
	const struct http_page *page;
	void *reader; /* of the page's stream */
	bool head;    /* without a body */
	bool truncated;
};

const char *http__query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void http__truncated(struct http_request *request)
{
	request->truncated = true;
}

/* The page's return value; -1 leaves nothing in `text`. */
static int write_page(struct http_request *request, struct packed *text)
{
	FILE *out = packed__open(text);
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
	struct unpacker *unpacker = packed__unpack(text);
	char reason[256] = "";

	if (unpacker)
		packed__read(unpacker, reason, sizeof(reason) - 1);
	packed__free(unpacker);
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
		guests__release(&http->guests, http->held + held - HELD_BYTES);
	if (http->held && page.text.size > SMALL_PAGE && http->held + held > HELD_MOST) {
		free(page.text.data);
		return reply__refuse(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "too many pages wait for their clients; try again later\n");
	}
	page.truncated = request->truncated;
	request->guest->held = held;
	http->held += held;
	return reply__page(request->connection, &page);
}

static enum MHD_Result serve_file(const struct http_request *request)
{
	const struct http_file *file = request->page->file;
	struct packed text = packed__wrap(file->gzip, file->end);

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
	ssize_t got = request->page->stream->read(request->reader, to, size);

	(void)at;
	if (!got)
		MHD_suspend_connection(request->connection);
	return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static ssize_t end_stream(void *context, uint64_t at, char *to, size_t size)
{
	(void)context, (void)at, (void)to, (void)size;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* A slow client's events wait in our queue, which is told when it overflows, and not in the kernel's. */
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
	const struct http_stream *stream = request->page->stream;

	if (request->head)
		return reply__stream(request->connection, request->page->type, end_stream, request);
	if (!request->reader)
		request->reader = stream->open(request->http->context, wake, request);
	if (!request->reader)
		return reply__refuse(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "as many clients as there may be follow already; try again later\n");
	request->guest->follows = true;
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

/* Of the rows with this path the one whose type the client likes best; the first of equals. */
static const struct http_page *find_page(const struct http *http, const char *path, const char *accept)
{
	const struct http_page *found = NULL;
	unsigned best = 0, liked;

	for (size_t i = 0; i < http->count; i++) {
		if (strcmp(http->pages[i].path, path))
			continue;
		liked = negotiate__type(accept, http->pages[i].type);
		if (found && liked <= best)
			continue;
		found = &http->pages[i];
		best = liked;
	}
	return found;
}

/* Whether the client may ask; else it has its answer. */
static bool may_ask(struct http *http, struct MHD_Connection *connection, enum MHD_Result *queued)
{
	char text[REPLY_HEADER_LEN];

	if (!http->auth)
		return true;
	switch (auth__check(http->auth, reply__header(connection, MHD_HTTP_HEADER_AUTHORIZATION, text))) {
	case AUTH_GRANTED:
		return true;
	case AUTH_LATER:
		*queued = reply__refuse(connection, MHD_HTTP_TOO_MANY_REQUESTS, "a wrong password came just now\n");
		return false;
	default:
		*queued = reply__refuse(connection, MHD_HTTP_UNAUTHORIZED, "a user and a password are needed\n");
		return false;
	}
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, const char *path, const char *method,
			     void **context)
{
	struct http_request *request = calloc(1, sizeof(*request));
	char accept[REPLY_HEADER_LEN];
	enum MHD_Result queued;

	if (!request || !guest_of(connection)) {
		free(request);
		return MHD_NO;
	}
	*context = request;
	*request = (struct http_request){.http = http, .connection = connection, .guest = guest_of(connection)};
	guests__moved(request->guest, true);
	atomic_fetch_add(&http->busy, 1);
	if (!may_ask(http, connection, &queued))
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
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *body, size_t *body_size, void **request)
{
	const struct http_page *page;

	(void)version, (void)body;
	if (!*request)
		return *body_size ? MHD_NO : begin(context, connection, path, method, request);
	if (*body_size)
		return MHD_NO;
	page = ((struct http_request *)*request)->page;
	if (page->file)
		return serve_file(*request);
	return page->stream ? serve_stream(*request) : serve_page(*request);
}

static void answered(void *context, struct MHD_Connection *connection, void **context_of_request,
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
	http->held -= request->guest->held;
	request->guest->held = 0;
	request->guest->follows = false;
	guests__moved(request->guest, false);
	atomic_fetch_sub(&http->busy, 1);
	free(request);
}

static void connected(void *context, struct MHD_Connection *connection, void **guest,
		      enum MHD_ConnectionNotificationCode how)
{
	struct http *http = context;

	if (how == MHD_CONNECTION_NOTIFY_STARTED)
		*guest = guests__came(
			&http->guests,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	else
		guests__went(&http->guests, *guest);
}

/* The server's thread takes no signals: they are the main thread's. */
static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
	const struct MHD_OptionItem with_tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, http->tls.cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, http->tls.key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem *more = http->tls.cert ? with_tls : &with_tls[3];
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	if (http->tls.cert)
		flags |= MHD_USE_TLS;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, http, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned)GUESTS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				  (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
				  MHD_OPTION_NOTIFY_COMPLETED, answered, http, MHD_OPTION_NOTIFY_CONNECTION, connected,
				  http, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

bool http__check(const struct http_options *options)
{
	bool protects = options->tls_cert || options->tls_key || options->auth_file;

	if (!options->tls_cert != !options->tls_key)
		log_error("%s needs %s too: a certificate is of no use without its key",
			  options->tls_cert ? "--tls-cert" : "--tls-key",
			  options->tls_cert ? "--tls-key FILE" : "--tls-cert FILE");
	else if (protects && options->at.off)
		log_error("--tls-cert, --tls-key and --auth-file are for the HTTP endpoint, which --listen off leaves "
			  "out");
	else
		return true;
	return false;
}

static void warn(const struct http_options *options, const char *endpoint)
{
	if (print_is_loopback(&options->at.addr))
		return;
	if (!options->auth_file)
		log_warn("everybody who reaches %s may read there what this host's connections are; --auth-file FILE "
			 "asks for a password",
			 endpoint);
	else if (!options->tls_cert)
		log_warn("passwords for %s cross the network unencrypted; --tls-cert FILE --tls-key FILE encrypts",
			 endpoint);
}

int http__open(struct http **http, const struct http_options *options)
{
	struct http *new = calloc(1, sizeof(*new));
	char endpoint[PRINT_ENDPOINT_LEN];

	*http = NULL;
	if (!new) {
		log_error("cannot serve HTTP: out of memory");
		return -1;
	}
	new->socket = -1;
	guests__init(&new->guests);
	if ((options->tls_cert && tls__read(&new->tls, options->tls_cert, options->tls_key)) ||
	    (options->auth_file && auth__open(&new->auth, options->auth_file)) ||
	    (new->socket = listen__open(&options->at, BACKLOG)) < 0) {
		http__stop(new);
		return -1;
	}
	print_endpoint(endpoint, &options->at.addr, options->at.port);
	warn(options, endpoint);
	*http = new;
	return 0;
}

int http__serve(struct http *http, const struct http_page *pages, size_t count, void *context)
{
	http->pages = pages;
	http->count = count;
	http->context = context;
	http->daemon = start_daemon(http, http->socket);
	http->socket = -1; /* whether it was closed, where nothing was started, depends on how far that came */
	if (http->daemon)
		return 0;
	log_error("cannot serve HTTP: libmicrohttpd did not start; go without by --listen off");
	return -1;
}

static void stop_daemon(struct http *http)
{
	const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
	int fd = MHD_quiesce_daemon(http->daemon), i;

	for (i = 0; i < STOP_STEPS && atomic_load(&http->busy); i++)
		nanosleep(&step, NULL);
	MHD_stop_daemon(http->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void http__stop(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		stop_daemon(http);
	if (http->socket >= 0)
		close(http->socket);
	auth__close(http->auth);
	tls__free(&http->tls);
	free(http);
}
