/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of a TCP socket: kernel number (include/net/tcp_states.h) and name.
 * The numbers are part of the kernel's ABI (they are what TCP_INFO and ss report).
 * STATE_MAX bounds every table that is indexed by a state; 0 is no state.
 */
#ifndef SYNWARDEN_STATES_H
#define SYNWARDEN_STATES_H

#define STATES(X)                                                                                                      \
	X(1, ESTABLISHED)                                                                                              \
	X(2, SYN_SENT)                                                                                                 \
	X(3, SYN_RECV)                                                                                                 \
	X(4, FIN_WAIT1)                                                                                                \
	X(5, FIN_WAIT2)                                                                                                \
	X(6, TIME_WAIT)                                                                                                \
	X(7, CLOSE)                                                                                                    \
	X(8, CLOSE_WAIT)                                                                                               \
	X(9, LAST_ACK)                                                                                                 \
	X(10, LISTEN)                                                                                                  \
	X(11, CLOSING)                                                                                                 \
	X(12, NEW_SYN_RECV)

enum state {
#define X(number, name) STATE_##name = number,
	STATES(X)
#undef X
		STATE_MAX = 16,
};

#endif
