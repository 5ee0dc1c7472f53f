/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet got its verdict, how a connection ended, and what was lost.
 *
 * Each row of a table is: enum name, (action,) metric label, help. To add one, add a row: the counter,
 * the metric, the summary line and the test that asks for a packet of every reason follow from it.
 */
#ifndef SYNWARDEN_REASONS_H
#define SYNWARDEN_REASONS_H

/* Every packet leaves with exactly one of these. Action PASS or DROP; under --dry-run all pass, and are counted the
 * same. */
#define REASONS(X)                                                                                                     \
	X(SEGMENT, PASS, "segment", "TCP segment that is not a SYN")                                                   \
	X(SYN, PASS, "syn", "SYN within every limit")                                                                  \
	X(ALLOWED, PASS, "allowed", "source is on the allow list")                                                     \
	X(NOT_TCP, PASS, "not_tcp", "IP packet of another protocol")                                                   \
	X(NOT_IP, PASS, "not_ip", "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                                            \
	X(FRAGMENT, PASS, "fragment", "later IP fragment, without a TCP header")                                       \
	X(NOT_LINEAR, PASS, "not_linear", "headers not in the first buffer: only the lists were asked")                \
	X(VERIFIED, PASS, "verified", "SYN over --port-budget from a source that has answered a challenge")            \
	X(COOKIE_ACK, PASS, "cookie_ack", "answer to a challenge: the cookie is valid")                                \
	X(KNOWN, PASS, "known", "SYN over --port-budget on a connection that the kernel knows already")                \
	X(NOT_SERVED, PASS, "not_served", "SYN over --port-budget to an address that this host is not known to serve") \
	X(UNREADY, PASS, "unready", "SYN over --port-budget while the kernel would not accept a cookie yet")           \
	X(CHALLENGED, TX, "challenged", "SYN over --port-budget, answered with a SYN cookie")                          \
	X(BLOCKED, DROP, "blocked", "source is on the block list")                                                     \
	X(SOURCE_LIMIT, DROP, "source_limit", "SYN from a source that is over --source-limit")                         \
	X(PORT_BUDGET, DROP, "port_budget", "SYN over --port-budget that cannot or must not be challenged")            \
	X(ACCEPT_FULL, DROP, "accept_full", "SYN over --port-budget while the accept queue is full")                   \
	X(STRAY_ACK, DROP, "stray_ack", "segment to an armed port, without a connection or a valid cookie")            \
	X(STRAY_FIN, DROP, "stray_fin", "FIN to an armed port, without a connection or a valid cookie")                \
	X(STRAY_RST, DROP, "stray_rst", "RST to an armed port, without a connection")                                  \
	X(ETH_TRUNCATED, DROP, "eth_truncated", "frame ends inside the Ethernet or VLAN header")                       \
	X(VLAN_DEPTH, DROP, "vlan_depth", "more than eight VLAN tags")                                                 \
	X(IPV4_HEADER, DROP, "ipv4_header", "IPv4 version, header length or total length impossible")                  \
	X(IPV4_TRUNCATED, DROP, "ipv4_truncated", "frame shorter than its IPv4 header or total length")                \
	X(IPV6_HEADER, DROP, "ipv6_header", "IPv6 version, source or payload length impossible")                       \
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
#define X(name, action, label, help) REASON_##name,
	REASONS(X)
#undef X
		REASON_MAX,
};

enum verdict {
	VERDICT_PASS,
	VERDICT_DROP,
	VERDICT_TX, /* challenged */
	VERDICT_MAX,
};

/* How a connection, a connect or a listener ended: the `reason` of a final transition. 0 is: not final. */
#define ENDINGS(X)                                                                                                     \
	X(FIN, "fin", "both sides closed; the peer first")                                                             \
	X(TIME_WAIT, "time_wait", "both sides closed; this side first")                                                \
	X(RESET_RECEIVED, "reset_received", "the peer sent a RST, or data after this side had closed")                 \
	X(RESET_SENT, "reset_sent", "this side sent a RST")                                                            \
	X(REFUSED, "refused", "the peer answered the SYN with a RST or an ICMP error")                                 \
	X(TIMEOUT, "timeout", "retransmissions or keep-alives went unanswered")                                        \
	X(UNREACHABLE, "unreachable", "the network reported the peer as unreachable")                                  \
	X(ABORTED, "aborted", "closed here before it was established, or killed (ss -K)")                              \
	X(ORPHANED, "orphaned", "FIN_WAIT2 without a process, left to the kernel's timer")                             \
	X(UNLISTENED, "unlistened", "the listener was closed")

enum ending {
	ENDING_NONE,
#define X(name, label, help) ENDING_##name,
	ENDINGS(X)
#undef X
		ENDING_MAX,
};

/* What the kernel's own tracepoints are counted for, beside transitions. Rows: enum name, metric without its prefix,
 * its labels, help (of the first row of a metric). */
#define TALLIES(X)                                                                                                     \
	X(RESETS_SENT, "resets_total", "direction=\"sent\"", "RSTs sent and received.")                                \
	X(RESETS_RECEIVED, "resets_total", "direction=\"received\"", "")                                               \
	X(SYN_RETRANSMITS, "retransmits_total", "kind=\"syn\"", "Segments sent again, SYNs told apart.")               \
	X(SEGMENT_RETRANSMITS, "retransmits_total", "kind=\"segment\"", "")                                            \
	X(SYNACK_RETRANSMITS, "synack_retransmits_total", "", "SYN-ACKs sent again: half-open connections that wait.")

enum tally {
#define X(name, metric, labels, help) TALLY_##name,
	TALLIES(X)
#undef X
		TALLY_MAX,
};

/* What synwarden itself could not do. Rows of kind EVENT are lost transitions; of kind TABLE, packets passed unjudged.
 */
#define LOSSES(X)                                                                                                      \
	X(RING, EVENT, "ring", "event ring full: the reader was late")                                                 \
	X(REENTRY, EVENT, "reentry", "a transition was not seen: the next one began elsewhere")                        \
	X(CENSUS, EVENT, "census", "sockets in other states than the transitions seen say: some were missed")          \
	X(STORAGE, EVENT, "storage", "no memory for a socket's record: owner and duration unknown")                    \
	X(SOURCES, TABLE, "sources", "no idle record for a source over its limit: it passed")                          \
	X(SERVED, TABLE, "served", "too many served addresses: SYNs over budget to this one passed")                   \
	X(PORTS, TABLE, "ports", "too many listening ports: counted as other")

enum loss {
#define X(name, kind, label, help) LOSS_##name,
	LOSSES(X)
#undef X
		LOSS_MAX,
};

#endif
