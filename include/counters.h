/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted beside packets and transitions: numbers of each listening port, and events of the host's TCP.
 *
 * To add a counter, add its row and the line in bpf/ that counts: structs, metrics, JSON, summary, `top`, dashboard,
 * `synwarden help port-counters` and the documents follow from the row. "" hides it in one of these places.
 */
#ifndef SYNWARDEN_COUNTERS_H
#define SYNWARDEN_COUNTERS_H

/*
 * Numbers of a listening port, in the order in which they are shown. Rows: kind, name (the field of the structs and of
 * the JSON), metric without prefix, its labels beside `port`, heading in the summary, in `top`, on the dashboard, help.
 * A heading that ends with /S or /s is shown as a rate.
 *
 * Kinds: COUNTER is a field of struct port_count, per CPU; SYNS a sum over its `syns`; CENSUS a field of struct
 * port_census, a gauge; JUDGED a field of struct attack that adds up.
 */
#define PORT_COUNTERS(X)                                                                                               \
	X(SYNS, syns, "syns_total", "", "SYNS", "SYN/S", "SYN/s", "SYNs that reached the interfaces")                  \
	X(SYNS, passed, "syns_passed_total", "", "PASSED", "PASS/S", "Passed/s", "SYNs that the filter passed")        \
	X(SYNS, challenged, "challenges_total", "", "CHALLENGED", "CHAL/S", "Challenged/s",                            \
	  "SYNs answered with a SYN cookie")                                                                           \
	X(COUNTER, answered, "challenges_answered_total", "", "", "ANSW/S", "Answered/s",                              \
	  "valid cookies that came back, without those of verified sources")                                           \
	X(COUNTER, not_served, "syns_not_served_total", "", "", "", "",                                                \
	  "SYNs over the budget that passed, as their address is not known to be served")                              \
	X(SYNS, dropped, "", "", "DROPPED", "DROP/S", "Dropped/s", "SYNs that the filter dropped")                     \
	X(COUNTER, completed, "handshakes_total", "outcome=\"completed\"", "HANDSHAKES", "EST/S", "Completed/s",       \
	  "incoming handshakes that completed, on any interface")                                                      \
	X(COUNTER, aborted, "handshakes_total", "outcome=\"aborted\"", "", "", "",                                     \
	  "incoming connections that closed before they were established")                                             \
	X(COUNTER, listen_drops, "handshakes_total", "outcome=\"listen_drop\"", "LISTEN DROPS", "LDROP",               \
	  "Listen drops", "SYNs and last ACKs that the listener dropped, mostly because a queue was full")             \
	X(COUNTER, synack_retransmits, "", "", "", "RETX", "", "SYN-ACKs sent again")                                  \
	X(CENSUS, half_open, "half_open_connections", "", "HALF-OPEN", "HALF", "Half-open",                            \
	  "half-open connections, which wait for the last ACK")                                                        \
	X(CENSUS, accept_queue, "accept_queue_connections", "", "ACCEPT QUEUE", "QUEUE", "Accept queue",               \
	  "connections that wait for accept()")                                                                        \
	X(CENSUS, accept_limit, "accept_queue_limit", "", "", "", "", "limit of the accept queue")                     \
	X(CENSUS, accept_full, "accept_queues_full", "", "", "", "", "listeners whose accept queue is full")           \
	X(COUNTER, stray_acks, "strays_dropped_total", "kind=\"ack\"", "", "", "",                                     \
	  "segments without a connection that were dropped, without those below")                                      \
	X(COUNTER, stray_fins, "strays_dropped_total", "kind=\"fin\"", "", "", "",                                     \
	  "FINs without a connection that were dropped")                                                               \
	X(COUNTER, stray_rsts, "strays_dropped_total", "kind=\"rst\"", "", "", "",                                     \
	  "RSTs without a connection that were dropped")                                                               \
	X(COUNTER, stray_synacks, "strays_dropped_total", "kind=\"synack\"", "", "", "",                               \
	  "SYN-ACKs without a connection that were dropped")                                                           \
	X(COUNTER, refused_syns, "strays_dropped_total", "kind=\"syn\"", "", "", "",                                   \
	  "SYNs to closed ports that were dropped")                                                                    \
	X(COUNTER, resets, "strays_answered_total", "", "", "", "",                                                    \
	  "segments without a connection that the kernel answered with a RST")                                         \
	X(JUDGED, attacks, "attacks_total", "", "", "", "", "attacks that began")

enum port_counter {
#define X(kind, name, ...) PORT_##name,
	PORT_COUNTERS(X)
#undef X
		PORT_COUNTER_MAX,
};

/*
 * Events of the host's TCP, from the kernel's own tracepoints. Rows: enum name, JSON name, metric without prefix, its
 * labels, what happened, to what kind of segment, help.
 */
#define TALLIES(X)                                                                                                     \
	X(RESETS_SENT, "resets_sent", "resets_total", "direction=\"sent\"", "sent", "reset", "RSTs sent")              \
	X(RESETS_RECEIVED, "resets_received", "resets_total", "direction=\"received\"", "received", "reset",           \
	  "RSTs received")                                                                                             \
	X(SYN_RETRANSMITS, "syn_retransmits", "retransmits_total", "kind=\"syn\"", "again", "SYN", "SYNs sent again")  \
	X(SEGMENT_RETRANSMITS, "segment_retransmits", "retransmits_total", "kind=\"segment\"", "again", "segment",     \
	  "segments sent again, without SYNs and SYN-ACKs")                                                            \
	X(SYNACK_RETRANSMITS, "synack_retransmits", "synack_retransmits_total", "", "again", "SYN-ACK",                \
	  "SYN-ACKs sent again: half-open connections that wait")

enum tally {
#define X(name, ...) TALLY_##name,
	TALLIES(X)
#undef X
		TALLY_MAX,
};

/* Metrics of several rows: help for all of them. A metric of one row has that row's help. */
#define METRIC_GROUPS(X)                                                                                               \
	X("handshakes_total", "incoming handshakes by outcome")                                                        \
	X("strays_dropped_total", "segments without a connection that were dropped, by kind")                          \
	X("resets_total", "RSTs by direction")                                                                         \
	X("retransmits_total", "segments sent again by kind")

#endif
