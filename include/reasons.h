/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet got its verdict, how a connection ended, and what was lost.
 *
 * Each row of a table is: enum name, kind, label, help. To add one, add a row: the counter, the metric, the summary
 * line, `synwarden help`, the documents and the test that asks for a packet of every reason follow from it.
 */
#ifndef SYNWARDEN_REASONS_H
#define SYNWARDEN_REASONS_H

/*
 * Every packet leaves with exactly one of these. Kind: PASS, DROP, or TX (answered with a SYN cookie). A dry run passes
 * every packet, and makes no cookie: it counts CHALLENGED where a real run would count UNREADY or VERIFIED.
 */
#define REASONS(X)                                                                                                     \
	X(SEGMENT, PASS, "segment", "TCP segment that is not a SYN")                                                   \
	X(SYN, PASS, "syn", "SYN within every limit")                                                                  \
	X(ALLOWED, PASS, "allowed", "source is on the allow list")                                                     \
	X(FLEET_ALLOWED, PASS, "fleet_allowed", "source is on the fleet's allow list")                                 \
	X(NOT_TCP, PASS, "not_tcp", "IP packet of another protocol")                                                   \
	X(NOT_IP, PASS, "not_ip", "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                                            \
	X(FRAGMENT, PASS, "fragment", "later IP fragment, without a TCP header")                                       \
	X(NOT_LINEAR, PASS, "not_linear", "headers beyond the first buffer: judged by the lists alone")                \
	X(VERIFIED, PASS, "verified", "SYN over --port-budget from a source that has answered a challenge")            \
	X(COOKIE_ACK, PASS, "cookie_ack", "answer to a challenge: the cookie is valid")                                \
	X(KNOWN, PASS, "known", "SYN over --port-budget on a connection that the kernel knows already")                \
	X(NOT_SERVED, PASS, "not_served", "SYN over --port-budget to an address that this host is not known to serve") \
	X(NOT_LOCAL, PASS, "not_local", "SYN that TCP here does not get or answer: by source, MAC or IP address")      \
	X(SIGNED, PASS, "signed", "SYN over --port-budget, signed (TCP-MD5, TCP-AO), to a listener that has keys")     \
	X(UNREADY, PASS, "unready", "SYN over --port-budget while the kernel would not accept a cookie yet")           \
	X(CHALLENGED, TX, "challenged", "SYN over --port-budget, answered with a SYN cookie")                          \
	X(BLOCKED, DROP, "blocked", "source is on the block list")                                                     \
	X(FLEET_BLOCKED, DROP, "fleet_blocked", "source is on the fleet's block list")                                 \
	X(SOURCE_LIMIT, DROP, "source_limit", "SYN from a source that is over --source-limit")                         \
	X(PORT_BUDGET, DROP, "port_budget",                                                                            \
	  "SYN over --port-budget that is not challenged: a fragment, or --challenge off")                             \
	X(UNANSWERABLE, DROP, "unanswerable",                                                                          \
	  "SYN over --port-budget that the kernel would drop, or not answer as is")                                    \
	X(ACCEPT_FULL, DROP, "accept_full", "SYN over --port-budget while the accept queue is full")                   \
	X(STRAY_ACK, DROP, "stray_ack", "segment over --stray-budget, without a connection or a valid cookie")         \
	X(STRAY_FIN, DROP, "stray_fin", "FIN over --stray-budget, without a connection or a valid cookie")             \
	X(STRAY_RST, DROP, "stray_rst", "RST over --stray-budget, without a connection")                               \
	X(STRAY_SYNACK, DROP, "stray_synack", "SYN-ACK over --stray-budget, without a connection")                     \
	X(CLOSED_PORT, DROP, "closed_port", "SYN over --stray-budget to a port that the kernel has just refused")      \
	X(ETH_TRUNCATED, DROP, "eth_truncated", "frame ends inside the Ethernet or VLAN header")                       \
	X(VLAN_DEPTH, DROP, "vlan_depth", "more than eight VLAN tags")                                                 \
	X(IPV4_HEADER, DROP, "ipv4_header", "IPv4 version, header length or total length impossible")                  \
	X(IPV4_TRUNCATED, DROP, "ipv4_truncated", "frame shorter than its IPv4 header or total length")                \
	X(IPV6_HEADER, DROP, "ipv6_header", "IPv6 version, source (v4-mapped) or payload length impossible")           \
	X(IPV6_TRUNCATED, DROP, "ipv6_truncated", "frame shorter than its IPv6 headers or payload length")             \
	X(IPV6_CHAIN, DROP, "ipv6_chain", "more than eight IPv6 extension headers")                                    \
	X(TCP_FRAGMENTED, DROP, "tcp_fragmented", "first fragment without the whole TCP header (RFC 1858, RFC 7112)")  \
	X(TCP_TRUNCATED, DROP, "tcp_truncated", "packet ends inside the TCP header")                                   \
	X(TCP_DOFF_SHORT, DROP, "tcp_doff_short", "TCP data offset below five words")                                  \
	X(TCP_DOFF_END, DROP, "tcp_doff_end", "TCP data offset past the end of the packet")                            \
	X(TCP_NO_FLAGS, DROP, "tcp_no_flags", "TCP flags: none (null scan)")                                           \
	X(TCP_SYN_FIN, DROP, "tcp_syn_fin", "TCP flags: SYN and FIN")                                                  \
	X(TCP_SYN_RST, DROP, "tcp_syn_rst", "TCP flags: SYN and RST")                                                  \
	X(TCP_XMAS, DROP, "tcp_xmas", "TCP flags: FIN, PSH and URG without ACK (Xmas scan)")

enum reason {
#define X(name, ...) REASON_##name,
	REASONS(X)
#undef X
		REASON_MAX,
	REASON_NONE = REASON_MAX, /* not decided yet: the next question is asked */
};

enum verdict {
	VERDICT_PASS,
	VERDICT_DROP,
	VERDICT_TX, /* challenged */
	VERDICT_MAX,
};

#define VERDICT_NAME_PASS "pass"
#define VERDICT_NAME_DROP "drop"
#define VERDICT_NAME_TX	  "challenge"

/*
 * How a connection, a connect() or a listener ended: the `reason` of a final transition. ENDING_NONE: not final. Kinds:
 * ORDERLY, both sides closed; FAILURE; LISTENER, which no connection has.
 */
#define ENDINGS(X)                                                                                                     \
	X(FIN, ORDERLY, "fin", "both sides closed; the peer first")                                                    \
	X(TIME_WAIT, ORDERLY, "time_wait", "both sides closed; this side first")                                       \
	X(RESET_RECEIVED, FAILURE, "reset_received",                                                                   \
	  "the peer sent a RST, or data after this side had closed (TCPABORTONDATA)")                                  \
	X(RESET_SENT, FAILURE, "reset_sent", "this side sent a RST")                                                   \
	X(REFUSED, FAILURE, "refused", "the peer answered the SYN with a RST or ICMP port unreachable")                \
	X(TIMEOUT, FAILURE, "timeout", "retransmissions, keep-alives or a FIN went unanswered")                        \
	X(UNREACHABLE, FAILURE, "unreachable", "the network reported the peer as unreachable")                         \
	X(NO_PORT, FAILURE, "no_port", "no free local port for the connect() (EADDRNOTAVAIL)")                         \
	X(ABORTED, FAILURE, "aborted", "ended here without a RST: before it was established, or killed (ss -K)")       \
	X(REPAIRED, FAILURE, "repaired", "taken out of the kernel by TCP_REPAIR (CRIU), unnoticed by the peer")        \
	X(ORPHANED, FAILURE, "orphaned", "FIN_WAIT2 without a process, whose end was not seen")                        \
	X(UNLISTENED, LISTENER, "unlistened", "the listener was closed")

enum ending {
	ENDING_NONE,
#define X(name, ...) ENDING_##name,
	ENDINGS(X)
#undef X
		ENDING_MAX,
};

/* What synwarden itself could not do. Kind EVENT: transitions that were lost; TABLE: packets that passed unjudged, or
 * were counted as another port's, as a table was full. */
#define LOSSES(X)                                                                                                      \
	X(RING, EVENT, "ring", "event ring full: the reader was late")                                                 \
	X(REENTRY, EVENT, "reentry", "a transition was missed: the next one, or the end, came from another state")     \
	X(CENSUS, EVENT, "census",                                                                                     \
	  "sockets whose state does not follow from the transitions seen (run alone counts them)")                     \
	X(STORAGE, EVENT, "storage", "no memory for a socket's record: owner and duration unknown")                    \
	X(CLOSING, EVENT, "closing",                                                                                   \
	  "no room for another closed connection that waits for a FIN, or its FIN was missed")                         \
	X(HTTP, EVENT, "http",                                                                                         \
	  "payload that was not looked at, as its connection's other direction was: an HTTP request may be missing")   \
	X(SOURCES, TABLE, "sources", "no free record for a source over its limit: its SYNs passed")                    \
	X(SERVED, TABLE, "served", "no room for another served address: SYNs over budget to it passed")                \
	X(PORTS, TABLE, "ports", "no room for another listening port: counted as \"other\"")                           \
	X(ANSWERS, TABLE, "answers",                                                                                   \
	  "challenges that the driver did not send: their clients wait, and send the SYN again")                       \
	X(WATCHES, EVENT, "watches",                                                                                   \
	  "verdicts on connections that a ladder watches: more than 1,000 a second, or it was late")

#define LOSS_METRIC_EVENT "events_lost_total"
#define LOSS_METRIC_TABLE "bookkeeping_failures_total"

enum loss {
#define X(name, ...) LOSS_##name,
	LOSSES(X)
#undef X
		LOSS_MAX,
};

#endif
