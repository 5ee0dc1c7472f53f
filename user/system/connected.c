// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "system/connected.h"
#include "system/tcp_sockets.h"

struct visit {
	void (*found)(void *context, const struct addr *peer);
	void *context;
};

static bool take(void *context, const struct inet_diag_msg *socket)
{
	const struct visit *visit = context;
	struct addr peer = tcp_sockets__address(socket, socket->id.idiag_dst);

	visit->found(visit->context, &peer);
	return true;
}

/* A request is reported as SYN_RECV, in which a socket is for microseconds only. */
static bool count_state(void *context, const struct inet_diag_msg *socket)
{
	uint64_t *states = context;

	if (socket->idiag_state < STATE_MAX)
		states[socket->idiag_state == STATE_SYN_RECV ? STATE_NEW_SYN_RECV : socket->idiag_state]++;
	return true;
}

int connected__states(uint16_t port, uint64_t states[STATE_MAX])
{
	memset(states, 0, STATE_MAX * sizeof(*states));
	return tcp_sockets__each((1 << STATE_MAX) - 1, port, count_state, states);
}

int connected__each(void (*found)(void *context, const struct addr *peer), void *context)
{
	struct visit visit = {found, context};

	return tcp_sockets__each(1 << STATE_ESTABLISHED, 0, take, &visit);
}
