// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/finish.h"
#include "system/clock.h"

#define WAIT_NS NS_PER_S /* for the server's FIN */

static unsigned state_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

/* Reads and drops what still comes. Whether the server's FIN came. */
static bool await_fin(struct page *page, uint64_t until_ns)
{
	struct pollfd poll_fd = {.fd = page->fd, .events = POLLIN};
	char dropped[4096];
	uint64_t now;
	ssize_t len;

	while ((now = clock__now()) < until_ns && poll(&poll_fd, 1, (until_ns - now) / 1000000 + 1) > 0) {
		len = recv(page->fd, dropped, sizeof(dropped), MSG_DONTWAIT);
		if (!len)
			return true;
		if (len < 0 && errno != EAGAIN && errno != EINTR) {
			page->ended = ENDED_BY_RESET;
			return false;
		}
	}
	return false;
}

void finish__close(struct page *page)
{
	uint64_t began = clock__now();
	unsigned state = state_of(page->fd);

	page->ended = state == TCP_CLOSE_WAIT ? ENDED_BY_SERVER : state == TCP_CLOSE ? ENDED_BY_RESET : ENDED_BY_US;
	if (page->ended != ENDED_BY_RESET && !shutdown(page->fd, SHUT_WR))
		page->has_peer_fin = page->ended == ENDED_BY_SERVER || await_fin(page, began + WAIT_NS);
	close(page->fd);
	page->fd = -1;
	page->took_ns[STEP_CLOSE] = clock__now() - began;
}
