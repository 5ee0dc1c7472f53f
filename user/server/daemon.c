// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server's start and end. It may come to listen only later: an address that is taken, or not there yet, is tried
 * again at each server__tick().
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/http.h"
#include "server/listen.h"
#include "text/address.h"
#include "text/log.h"

#define BACKLOG		  1024
#define CONNECTION_MEMORY 16384 /* headers included; a browser sends localhost's cookies to every port */
#define IDLE_SECONDS	  10
#define STOP_STEP_MS	  10
#define STOP_STEPS	  100

static void connected(void *context, struct MHD_Connection *connection, void **client,
		      enum MHD_ConnectionNotificationCode how)
{
	struct http *http = context;

	if (how == MHD_CONNECTION_NOTIFY_STARTED)
		*client = clients__came(
			&http->clients, connection,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	else
		clients__went(&http->clients, *client);
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
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, server__answer, http, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MAX,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
				  server__answered, http, MHD_OPTION_NOTIFY_CONNECTION, connected, http,
				  MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

bool server__check(const struct server_options *options)
{
	bool protects = options->tls_cert || options->tls_key || options->auth_file || options->hosts;

	if (!options->tls_cert != !options->tls_key)
		log_error("%s needs %s too: a certificate is of no use without its key",
			  options->tls_cert ? "--tls-cert" : "--tls-key",
			  options->tls_cert ? "--tls-key FILE" : "--tls-cert FILE");
	else if (protects && options->at.off)
		log_error("--tls-cert, --tls-key, --auth-file and --host are for the HTTP endpoint, which --listen off "
			  "leaves out");
	else
		return true;
	return false;
}

static void warn(const struct server_options *options, const char *endpoint)
{
	if (print_is_loopback(&options->at.addr))
		return;
	if (!options->auth_file)
		log_warn("every client that reaches %s can read this host's connections; --auth-file FILE "
			 "asks for a password",
			 endpoint);
	else if (!options->tls_cert)
		log_warn("passwords for %s cross the network unencrypted; --tls-cert FILE --tls-key FILE encrypts",
			 endpoint);
}

/* Where the last try had another reason, or none, says so. */
static void try_to_listen(struct http *http)
{
	char endpoint[PRINT_ENDPOINT_LEN], why[HTTP_WHY_LEN];
	const char *reason;

	http->socket = listen__open(&http->options.at, BACKLOG, &reason);
	print_endpoint(endpoint, &http->options.at.addr, http->options.at.port);
	if (http->socket >= 0) {
		if (*http->why_not)
			log_notice("the HTTP endpoint listens on %s now", endpoint);
		*http->why_not = '\0';
		return;
	}
	snprintf(why, sizeof(why), "cannot listen on %s: %s", endpoint, reason);
	if (strcmp(why, http->why_not))
		log_warn("%s; it is tried again each second; name another place with --listen ADDR:PORT, or --listen "
			 "off",
			 why);
	memcpy(http->why_not, why, sizeof(why));
}

int server__open(struct http **http, const struct server_options *options)
{
	struct http *new = calloc(1, sizeof(*new));
	char endpoint[PRINT_ENDPOINT_LEN];

	*http = NULL;
	if (!new) {
		log_error("cannot serve HTTP: out of memory");
		return -1;
	}
	new->options = *options;
	new->socket = -1;
	clients__init(&new->clients);
	if ((options->tls_cert && tls__read(&new->tls, options->tls_cert, options->tls_key)) ||
	    (options->auth_file && auth__open(&new->auth, options->auth_file))) {
		server__stop(new);
		return -1;
	}
	try_to_listen(new);
	warn(options, print_endpoint(endpoint, &options->at.addr, options->at.port));
	*http = new;
	return 0;
}

static void start(struct http *http)
{
	http->daemon = start_daemon(http, http->socket);
	http->socket = -1; /* whether it was closed, where nothing was started, depends on how far that came */
	if (http->daemon || *http->why_not)
		return;
	snprintf(http->why_not, sizeof(http->why_not), "libmicrohttpd did not start");
	log_warn("cannot serve HTTP: %s; it is tried again each second; --listen off does without", http->why_not);
}

void server__serve(struct http *http, const struct server_page *pages, size_t count, void *context)
{
	http->pages = pages;
	http->count = count;
	http->context = context;
	if (http->socket >= 0)
		start(http);
}

void server__tick(struct http *http)
{
	if (!http->daemon)
		try_to_listen(http);
	if (http->socket >= 0)
		start(http);
	clients__resume(&http->clients);
}

const char *server__why_not(const struct http *http)
{
	return *http->why_not ? http->why_not : NULL;
}

static void stop_daemon(struct http *http)
{
	const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
	int fd = MHD_quiesce_daemon(http->daemon), i;

	for (i = 0; i < STOP_STEPS && atomic_load(&http->busy); i++) {
		clients__resume(&http->clients); /* the library ends none that is suspended */
		nanosleep(&step, NULL);
	}
	MHD_stop_daemon(http->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void server__stop(struct http *http)
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
