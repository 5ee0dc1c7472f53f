// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport below the metrics endpoint, by libmicrohttpd: one polling thread, which also writes the pages, so
 * that no lock is needed. Whoever connects can hold at most MAX_CONNECTIONS x CONNECTION_MEMORY and one page each.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "log.h"
#include "print.h"

#define MAX_CONNECTIONS	  32
#define CONNECTION_MEMORY 16384 /* headers included; a browser sends localhost's cookies to every port */
#define IDLE_SECONDS	  10
#define STOP_STEP_MS	  10
#define STOP_STEPS	  100

struct http {
	struct MHD_Daemon *daemon;
	const struct http_page *pages;
	size_t count;
	void *context;
	atomic_uint busy; /* answers under way; keep-alive connections that wait are not */
};

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status, const char *type,
			     struct MHD_Response *response)
{
	enum MHD_Result queued;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	queued = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return queued;
}

/* Closes the connection after the answer: what else the client sent (a body) is not looked at. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return queue(connection, status, "text/plain; charset=utf-8", response);
}

static int write_page(const struct http_page *page, void *context, char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);
	int ret;

	if (!out)
		return -1;
	ret = page->write(out, context);
	if (fclose(out) || ret) {
		free(*text);
		return -1;
	}
	return 0;
}

static enum MHD_Result serve(struct http *http, struct MHD_Connection *connection, const struct http_page *page)
{
	struct MHD_Response *response;
	size_t size;
	char *text;

	if (write_page(page, http->context, &text, &size))
		return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed; synwarden's messages say why\n");
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return queue(connection, MHD_HTTP_OK, page->type, response);
}

static const struct http_page *find_page(const struct http *http, const char *path)
{
	size_t i;

	for (i = 0; i < http->count; i++) {
		if (!strcmp(http->pages[i].path, path))
			return &http->pages[i];
	}
	return NULL;
}

/*
 * Called when the headers are there, with each piece of a body, and at the end. An answer before the end makes the
 * library close the connection: right for what is refused. GET has no body to speak of (RFC 9110, 9.3.1): cut off.
 */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *body, size_t *body_size, void **request)
{
	struct http *http = context;
	const struct http_page *page = find_page(http, path);
	bool first = !*request;

	(void)version, (void)body;
	if (first) {
		*request = http;
		atomic_fetch_add(&http->busy, 1);
	}
	if (!page)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "not found; / lists what there is\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "read only: GET or HEAD\n");
	if (*body_size)
		return MHD_NO;
	return first ? MHD_YES : serve(http, connection, page);
}

static void answered(void *context, struct MHD_Connection *connection, void **request,
		     enum MHD_RequestTerminationCode how)
{
	struct http *http = context;

	(void)connection, (void)how;
	if (*request)
		atomic_fetch_sub(&http->busy, 1);
	*request = NULL;
}

static const char *why_not(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "something else listens there already";
	case EADDRNOTAVAIL:
		return "no interface here has that address";
	case EACCES:
		return "a port below 1024 needs CAP_NET_BIND_SERVICE";
	case EAFNOSUPPORT:
		return "this kernel runs without IPv6";
	default:
		return strerror(error);
	}
}

/* Made here and not by the library, which keeps back why it failed. -1 with errno set. */
static int open_socket(const struct listen_at *at)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(at->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(at->port)};
	bool v4 = print_is_v4(&at->addr);
	const struct sockaddr *addr = v4 ? (void *)&in4 : (void *)&in6;
	socklen_t size = v4 ? sizeof(in4) : sizeof(in6);
	int fd, error, on = 1;

	in4.sin_addr.s_addr = at->addr.words[3];
	memcpy(&in6.sin6_addr, &at->addr, sizeof(in6.sin6_addr));
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) && !bind(fd, addr, size) &&
	    !listen(fd, MAX_CONNECTIONS))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The server's thread takes no signals: they are the main thread's. */
static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, answer, http,
				  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
				  answered, http, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int http__start(struct http **http, const struct listen_at *at, const struct http_page *pages, size_t count,
		void *context)
{
	char endpoint[PRINT_ENDPOINT_LEN];
	struct http *new;
	int fd;

	*http = NULL;
	print_endpoint(endpoint, &at->addr, at->port);
	new = calloc(1, sizeof(*new));
	if (!new) {
		log_error("cannot serve HTTP on %s: out of memory", endpoint);
		return -1;
	}
	new->pages = pages;
	new->count = count;
	new->context = context;

	fd = open_socket(at);
	if (fd < 0) {
		log_error("cannot listen on %s: %s; name another place with --listen ADDR:PORT, or --listen off",
			  endpoint, why_not(errno));
		goto fail;
	}
	new->daemon = start_daemon(new, fd);
	if (!new->daemon) { /* whether it closed `fd` depends on how far it came; our caller exits */
		log_error("cannot serve HTTP on %s: libmicrohttpd did not start; go without by --listen off", endpoint);
		goto fail;
	}
	*http = new;
	return 0;

fail:
	free(new);
	return -1;
}

void http__stop(struct http *http)
{
	const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
	int fd, i;

	if (!http)
		return;
	fd = MHD_quiesce_daemon(http->daemon);
	for (i = 0; i < STOP_STEPS && atomic_load(&http->busy); i++)
		nanosleep(&step, NULL);
	MHD_stop_daemon(http->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	free(http);
}
