/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP server below the endpoint, over loopback. Input: what a client sends. Whatever that is, it gets an answer of
 * a known status or none, and while it is still there the next client is answered.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_REQUEST_H
#define SYNWARDEN_TESTS_FUZZ_REQUEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "server/server.h"

#define ANSWER_MAX (1 << 20)

static struct listen_at request_place = {.addr.bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
static char request_answer[ANSWER_MAX];

static int write_small(FILE *out, void *context, struct http_request *request)
{
	const char *limit = server__query(request, "limit");

	(void)context;
	fprintf(out, "%s\n", limit ? limit : "ok");
	return limit && *limit == '-' ? 400 : 0;
}

/* Longer than a block, and than what zlib holds back. */
static int write_large(FILE *out, void *context, struct http_request *request)
{
	(void)context;
	server__truncated(request);
	for (int i = 0; i < 5000; i++)
		fprintf(out, "%d,", i);
	return 0;
}

static int write_failure(FILE *out, void *context, struct http_request *request)
{
	(void)out, (void)context, (void)request;
	return -1;
}

/* A stream of a few letters, or of none as it is broken. */
struct letters {
	unsigned left;
	bool is_broken;
};

static void *open_letters(void *context, void (*wake)(void *who), void *who)
{
	static unsigned opened;
	struct letters *letters = calloc(1, sizeof(*letters));

	(void)context, (void)wake, (void)who;
	if (!letters || ++opened % 8 == 0) {
		free(letters);
		return NULL; /* too many */
	}
	*letters = (struct letters){.left = 100, .is_broken = opened % 5 == 0};
	return letters;
}

static enum server_ready are_letters_ready(void *reader)
{
	struct letters *letters = reader;

	return letters->is_broken ? HTTP_BROKEN : HTTP_READY;
}

static ssize_t read_letters(void *reader, char *to, size_t size)
{
	struct letters *letters = reader;
	size_t len = size < letters->left ? size : letters->left;

	memset(to, 'x', len);
	letters->left -= len;
	return len ? (ssize_t)len : -1;
}

static const struct server_stream request_stream = {open_letters, are_letters_ready, read_letters, free, 8};

static const struct server_page request_pages[] = {
	{"/", "text/plain; version=0.0.4", write_small, NULL, NULL},
	{"/", "application/openmetrics-text; version=1.0.0", write_small, NULL, NULL},
	{"/large", "application/json", write_large, NULL, NULL},
	{"/fails", "text/plain", write_failure, NULL, NULL},
	{"/stream", "text/event-stream", NULL, &request_stream, NULL},
};

static struct sockaddr_in request_address(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(request_place.port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void serve_requests(void)
{
	static struct http *http;
	struct server_options options;
	struct sockaddr_in addr = request_address();
	socklen_t size = sizeof(addr);
	int fd;

	if (http)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (void *)&addr, size) || getsockname(fd, (void *)&addr, &size))
		abort();
	close(fd);
	request_place.port = ntohs(addr.sin_port);
	options = (struct server_options){.at = request_place};
	if (server__open(&http, &options))
		abort();
	server__serve(http, request_pages, sizeof(request_pages) / sizeof(*request_pages), NULL);
	if (server__why_not(http))
		abort();
}

static int connect_to_server(void)
{
	const struct linger reset = {.l_onoff = 1}; /* leaves no TIME_WAIT, of which there would be too many */
	struct sockaddr_in addr = request_address();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
	    connect(fd, (void *)&addr, sizeof(addr)))
		fuzz_fail("connect()", "%s", strerror(errno));
	return fd;
}

/* Reads what comes: with MSG_DONTWAIT what is there, else until the server closes. How many bytes that were. */
static size_t read_answer(int fd, int how)
{
	size_t len = 0;
	ssize_t got;

	do {
		if (!how)
			PROPERTY(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000) == 1,
				 "no answer, and no end");
		got = recv(fd, request_answer + len, sizeof(request_answer) - 1 - len, how);
		len += got > 0 ? got : 0;
	} while (got > 0 && len < sizeof(request_answer) - 1);
	request_answer[len] = '\0';
	return len;
}

static bool is_known_status(int status)
{
	static const int known[] = {100, 200, 400, 404, 405, 406, 408, 411, 413, 414, 421, 431, 500, 501, 503, 505};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i] == status)
			return true;
	return false;
}

static void ask_soundly(void)
{
	static const char sound[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	int fd = connect_to_server();

	send(fd, sound, strlen(sound), MSG_NOSIGNAL);
	read_answer(fd, 0);
	close(fd);
	PROPERTY(!strncmp(request_answer, "HTTP/1.1 200 OK\r\n", 17), "a sound request: %.200s", request_answer);
	PROPERTY(strstr(request_answer, "\r\n\r\nok\n"), "a sound request: %.200s", request_answer);
}

static void fuzz_request(const uint8_t *data, size_t size)
{
	int fd, status = 0;

	serve_requests();
	fd = connect_to_server();
	send(fd, data, size, MSG_NOSIGNAL);
	ask_soundly(); /* of the server's one thread: by then it has read the other one */
	if (read_answer(fd, MSG_DONTWAIT))
		PROPERTY(sscanf(request_answer, "HTTP/1.%*1[01] %d", &status) == 1 && is_known_status(status),
			 "answered: %.200s", request_answer);
	close(fd);
}

#endif
