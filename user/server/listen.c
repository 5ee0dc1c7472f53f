// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made here and not by the library, which keeps back why it failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "server/listen.h"
#include "text/address.h"

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

/* -1 with errno set. */
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

/* Whether a socket listens at this address; one that listens on all addresses of both families is of IPv6. */
static bool is_at(int fd, const struct listen_at *at)
{
	struct sockaddr_storage name = {};
	socklen_t size = sizeof(name);
	const struct sockaddr_in *in4 = (const void *)&name;
	const struct sockaddr_in6 *in6 = (const void *)&name;

	if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, at->port) <= 0 || getsockname(fd, (void *)&name, &size))
		return false;
	if (name.ss_family == AF_INET)
		return print_is_v4(&at->addr) && in4->sin_addr.s_addr == at->addr.words[3];
	return !memcmp(&in6->sin6_addr, &at->addr, sizeof(at->addr));
}

/* Not closed by us for good: a copy, as systemd's descriptor serves again where this one is closed. */
static int take_inherited(const struct listen_at *at)
{
	int count = sd_listen_fds(0), fd, flags;

	for (fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
		if (!is_at(fd, at))
			continue;
		flags = fcntl(fd, F_GETFL);
		if (flags >= 0)
			fcntl(fd, F_SETFL, flags | O_NONBLOCK);
		return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	return -1;
}

int listen__open(const struct listen_at *at, int backlog, const char **why)
{
	int fd = take_inherited(at);

	if (fd < 0)
		fd = open_socket(at, backlog);
	if (fd < 0)
		*why = why_not(errno);
	return fd;
}
