// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens the socket, and says why it cannot.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"
#include "print.h"

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
static int open_socket(const struct listen_at *at, int backlog)
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
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) && !bind(fd, addr, size) && !listen(fd, backlog))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int listen__open(const struct listen_at *at, int backlog)
{
	char endpoint[PRINT_ENDPOINT_LEN];
	int fd = open_socket(at, backlog);

	if (fd < 0)
		log_error("cannot listen on %s: %s; name another place with --listen ADDR:PORT, or --listen off",
			  print_endpoint(endpoint, &at->addr, at->port), why_not(errno));
	return fd;
}
