/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of a TCP socket, and what takes it from one to another.
 */
#ifndef SYNWARDEN_STATES_H
#define SYNWARDEN_STATES_H

/*
 * Rows: the kernel's number (include/net/tcp_states.h), name, help. The numbers are part of the kernel's ABI: TCP_INFO
 * and ss report them. STATE_MAX bounds every table that is indexed by a state; 0 is no state.
 */
#define STATES(X)                                                                                                      \
	X(1, ESTABLISHED, "open: data may flow in both directions")                                                    \
	X(2, SYN_SENT, "connect() has sent a SYN; the SYN-ACK is awaited")                                             \
	X(3, SYN_RECV, "the handshake's last ACK has come and the new socket is being set up; or a simultaneous open") \
	X(4, FIN_WAIT1, "closed here first; the FIN is not acknowledged yet")                                          \
	X(5, FIN_WAIT2, "closed here first; the FIN is acknowledged, the peer's FIN is awaited")                       \
	X(6, TIME_WAIT, "both sides closed, this one first; kept for 60 s against late segments")                      \
	X(7, CLOSE, "no connection: before the first transition and after the last one")                               \
	X(8, CLOSE_WAIT, "the peer closed first; the process here has not closed yet")                                 \
	X(9, LAST_ACK, "the peer closed first; this side's FIN is not acknowledged yet")                               \
	X(10, LISTEN, "waits for connections")                                                                         \
	X(11, CLOSING, "both sides closed at once; this side's FIN is not acknowledged yet")                           \
	X(12, NEW_SYN_RECV, "half-open: the SYN-ACK is sent, the last ACK awaited; a request, not a socket yet")

enum state {
#define X(number, name, ...) STATE_##name = number,
	STATES(X)
#undef X
		STATE_MAX = 16,
};

/*
 * The transitions of a socket on Linux: RFC 9293 figure 5, without those of requests and of TIME_WAIT, which the kernel
 * does not report (a half-open connection goes from LISTEN to SYN_RECV when its last ACK comes), and with those that
 * the figure omits. Rows: from, to, what causes it, in a word for the dashboard's diagram ("": no room there), help.
 * Whatever else is counted is shown too.
 */
#define TRANSITIONS(X)                                                                                                 \
	X(CLOSE, LISTEN, "listen", "listen()")                                                                         \
	X(CLOSE, SYN_SENT, "connect: SYN", "connect(): a SYN is sent")                                                 \
	X(LISTEN, SYN_RECV, "ACK", "a handshake's last ACK arrives (with TCP Fast Open, its SYN): a new socket")       \
	X(LISTEN, CLOSE, "", "the listener is closed")                                                                 \
	X(SYN_SENT, ESTABLISHED, "SYN-ACK, ACK", "the SYN-ACK arrives, an ACK is sent")                                \
	X(SYN_SENT, SYN_RECV, "both at once: SYN", "simultaneous open: the peer's SYN arrives")                        \
	X(SYN_SENT, CLOSE, "", "refused, unreachable, no answer, or closed here")                                      \
	X(SYN_RECV, ESTABLISHED, "", "the new socket is set up; it waits for accept()")                                \
	X(SYN_RECV, FIN_WAIT1, "", "closed here before the last ACK (TCP Fast Open, simultaneous open)")               \
	X(SYN_RECV, CLOSE_WAIT, "", "the peer's FIN comes with its last ACK or its SYN (TCP Fast Open)")               \
	X(SYN_RECV, CLOSE, "", "reset, no answer, or the accept queue is full")                                        \
	X(ESTABLISHED, FIN_WAIT1, "close: FIN", "close() or shutdown(): a FIN is sent")                                \
	X(ESTABLISHED, CLOSE_WAIT, "FIN, ACK", "the peer's FIN arrives and is acknowledged")                           \
	X(ESTABLISHED, CLOSE, "", "reset, no answer, or killed")                                                       \
	X(FIN_WAIT1, FIN_WAIT2, "ACK", "the peer acknowledges the FIN")                                                \
	X(FIN_WAIT1, CLOSING, "both at once: FIN", "simultaneous close: the peer's FIN arrives before its ACK")        \
	X(FIN_WAIT1, CLOSE, "", "reset, no answer, or killed")                                                         \
	X(FIN_WAIT2, TIME_WAIT, "FIN, ACK", "the peer's FIN arrives and is acknowledged")                              \
	X(FIN_WAIT2, CLOSE, "", "reset, or no FIN within tcp_fin_timeout")                                             \
	X(CLOSING, TIME_WAIT, "ACK", "the peer acknowledges the FIN")                                                  \
	X(CLOSING, CLOSE, "", "reset, no answer, or killed")                                                           \
	X(CLOSE_WAIT, LAST_ACK, "close: FIN", "close() or shutdown(): a FIN is sent")                                  \
	X(CLOSE_WAIT, CLOSE, "", "reset, no answer, or killed")                                                        \
	X(LAST_ACK, CLOSE, "ACK", "the peer acknowledges the FIN; or reset, no answer")

#endif
