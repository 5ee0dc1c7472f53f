// SPDX-License-Identifier: GPL-2.0-only
/*
 * libcurl would wait 200 ms after a refusal before it tries the next address (7.88): the loop is its own here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h> /* needs what is above: struct timespec */
#include <linux/tcp.h>

#include "fetch/connect.h"
#include "fetch/observer.h"
#include "fetch/say.h"
#include "system/clock.h"
#include "text/address.h"

#define LOOK_MS 20 /* how often it is looked whether a SYN was sent again */

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	       "the port stands at the same place in both families");

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	in_port_t port;

	memcpy(&port, (const char *)addr + offsetof(struct sockaddr_in, sin_port), sizeof(port));
	return ntohs(port);
}

static socklen_t length_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* With the ICMP messages that end it, and its cookie before the first SYN leaves. */
static int open_socket(struct attempt *attempt)
{
	int family = attempt->to.ss_family, one = 1;
	socklen_t len = sizeof(attempt->cookie);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -1;
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &attempt->cookie, &len);
	return fd;
}

static void read_info(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

/* The kernel tells how many, not when: they were sent since the last look. */
static void note_again(int fd, struct attempt *attempt)
{
	struct tcp_info info;

	read_info(fd, &info);
	while (attempt->again < info.tcpi_total_retrans) {
		if (attempt->again < ATTEMPT_SYNS)
			attempt->again_ns[attempt->again] = clock__now() - attempt->began_ns;
		attempt->again++;
	}
}

/* The errno of a connect() that goes on in the background. */
static int await(int fd, struct attempt *attempt, const struct page *page)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0;

	while (!poll(&poll_fd, 1, LOOK_MS)) {
		note_again(fd, attempt);
		observer__look(page->observer);
		if (clock__now() - attempt->began_ns >= page->options->connect_ns)
			return ETIMEDOUT;
	}
	attempt->took_ns = clock__now() - attempt->began_ns;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

/* Which host said by ICMP that it cannot be reached. */
static void read_offender(int fd, struct attempt *attempt)
{
	char control[512];
	struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
		const struct sock_extended_err *error = (void *)CMSG_DATA(at);

		if ((at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
		    (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR))
			attempt->offender = address__from_sockaddr(SO_EE_OFFENDER(error));
	}
}

static void read_addresses(int fd, struct attempt *attempt)
{
	struct sockaddr_storage local = {};
	socklen_t len = sizeof(local);

	getsockname(fd, (struct sockaddr *)&local, &len);
	attempt->laddr = address__from_sockaddr((struct sockaddr *)&local);
	attempt->lport = port_of(&local);
}

static void read_rtt(int fd, struct attempt *attempt)
{
	struct tcp_info info;

	note_again(fd, attempt);
	read_info(fd, &info);
	if (!attempt->again)
		attempt->rtt_ns = info.tcpi_rtt * 1000ULL;
}

/* The connected socket, or -1. */
static int try(struct attempt *attempt, const struct page *page)
{
	int fd = open_socket(attempt);

	attempt->rtt_ns = DURATION_UNKNOWN;
	attempt->began_ns = clock__now();
	if (fd < 0) {
		attempt->error = errno;
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&attempt->to, length_of(&attempt->to)))
		attempt->error = errno;
	read_addresses(fd, attempt);
	if (attempt->error == EINPROGRESS)
		attempt->error = await(fd, attempt, page);
	if (!attempt->took_ns)
		attempt->took_ns = clock__now() - attempt->began_ns;
	if (!attempt->error) {
		read_rtt(fd, attempt);
		return fd;
	}
	note_again(fd, attempt);
	read_offender(fd, attempt);
	close(fd);
	return -1;
}

/* Once all are over: it takes longer than a connection. */
static void judge_all(struct page *page)
{
	observer__look(page->observer);
	for (size_t i = 0; i < page->attempt_count; i++)
		page->attempts[i].seen = observer__judge(page->observer, &page->attempts[i], 0);
}

int connect__any(struct page *page)
{
	struct attempt *attempt = NULL;
	char words[SAY_LEN];

	page->attempts = calloc(page->lookup->count, sizeof(*page->attempts));
	if (!page->attempts)
		return page__fail(page, STEP_CONNECT, "out of memory");
	page->took_ns[STEP_CONNECT] = 0;
	while (page->fd < 0 && page->attempt_count < page->lookup->count) {
		attempt = &page->attempts[page->attempt_count];
		attempt->to = page->lookup->addresses[page->attempt_count++];
		attempt->raddr = address__from_sockaddr((struct sockaddr *)&attempt->to);
		attempt->rport = port_of(&attempt->to);
		page->fd = try(attempt, page);
		page->took_ns[STEP_CONNECT] += attempt->took_ns;
	}
	judge_all(page);
	if (page->fd >= 0 || !attempt)
		return 0;
	return page__fail(page, STEP_CONNECT, "%s", say__attempt(words, attempt));
}
