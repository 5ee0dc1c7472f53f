/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace of the test's own, with the addresses of tests/lib/frames.h's frames on lo, whose sockets the
 * filter then finds: BPF_PROG_TEST_RUN runs a frame as if it came in on lo. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_CHALLENGE_NET_H
#define SYNWARDEN_TESTS_CHALLENGE_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_PORT 40000

enum { IP4, IP6, FAMILIES };

static const char *const server_addresses[FAMILIES] = {"198.51.100.1", "2001:db8:1::1"};
static const char *const client_addresses[FAMILIES] = {"192.0.2.1", "2001:db8::1"};

struct listen_options {
	int backlog;	  /* 0: one connection waits, and that is all */
	int rcvbuf;	  /* 0: the default */
	int defer_accept; /* s; a connection stays half-open until its first data */
	int reuseport;	  /* 1: one of a group on this port */
};

static inline void net_do(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static inline void net_sysctl(const char *name, unsigned value)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%u\n", value);
	assert_int_equal(fclose(file), 0);
}

static inline void net_mtu(unsigned mtu)
{
	char command[64];

	snprintf(command, sizeof(command), "ip link set lo mtu %u", mtu);
	net_do(command);
}

static inline void net_enter(void)
{
	char command[96];

	if (unshare(CLONE_NEWNET))
		fail_msg("cannot make a network namespace: needs root");
	net_do("ip link set lo up");
	net_mtu(1500);
	for (int ip6 = 0; ip6 < FAMILIES; ip6++) {
		snprintf(command, sizeof(command), "ip addr add %s dev lo %s", server_addresses[ip6],
			 ip6 ? "nodad" : "");
		net_do(command);
		snprintf(command, sizeof(command), "ip addr add %s dev lo %s", client_addresses[ip6],
			 ip6 ? "nodad" : "");
		net_do(command);
	}
}

static inline socklen_t net_address(struct sockaddr_storage *to, int ip6, const char *text, uint16_t port)
{
	struct sockaddr_in6 *six = (void *)to;
	struct sockaddr_in *four = (void *)to;

	memset(to, 0, sizeof(*to));
	if (ip6) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &four->sin_addr), 1);
	return sizeof(*four);
}

static inline int net_bound(int ip6, const char *text, uint16_t port, int reuseport)
{
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_storage address;
	socklen_t len = net_address(&address, ip6, text, port);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuseport, sizeof(reuseport)), 0);
	assert_int_equal(bind(fd, (void *)&address, len), 0);
	return fd;
}

static inline int net_listen(int ip6, uint16_t port, const struct listen_options *options)
{
	int fd = net_bound(ip6, server_addresses[ip6], port, options->reuseport);

	if (options->rcvbuf)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options->rcvbuf, sizeof(options->rcvbuf)), 0);
	if (options->defer_accept)
		assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &options->defer_accept,
					    sizeof(options->defer_accept)),
				 0);
	assert_int_equal(listen(fd, options->backlog), 0);
	return fd;
}

/* A connection from the address and port that frames come from. */
static inline int net_connect(int ip6, uint16_t port)
{
	int fd = net_bound(ip6, client_addresses[ip6], CLIENT_PORT, 0);
	struct sockaddr_storage address;
	socklen_t len = net_address(&address, ip6, server_addresses[ip6], port);

	assert_int_equal(connect(fd, (void *)&address, len), 0);
	return fd;
}

/* The same, in the accept queue of `listener`: the client is connected before its last ACK has come. */
static inline int net_queue(int ip6, uint16_t port, int listener)
{
	struct pollfd queued = {.fd = listener, .events = POLLIN};
	int fd = net_connect(ip6, port);

	assert_int_equal(poll(&queued, 1, 5000), 1);
	return fd;
}

/* A socket that goes without a trace: it leaves by RST. */
static inline void net_reset(int fd)
{
	struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

/* Until the other side's FIN has come. */
static inline void net_await_end(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
}

#endif
