/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module segments shows connections segment by segment, live or from a capture. It may include endpoint, stream,
 * server, output, kernel, config, system and text.
 *
 * One TCP connection, segment by segment: what each segment means, and in which state each end is then. Pure: no I/O,
 * no allocation. States that the kernel tells are handed in; those of an end of which it tells nothing are inferred
 * from the segments (RFC 9293, 3.3.2).
 */
#ifndef SYNWARDEN_SEGMENTS_VIEW_H
#define SYNWARDEN_SEGMENTS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segments.h"
#include "states.h"

/* What is remarkable about a segment: enum name, name in JSON, text. */
#define MARKS(X)                                                                                                       \
	X(SENT_AGAIN, "sent_again", "sent again")                                                                      \
	X(FAST_RETRANSMIT, "fast_retransmit", "fast retransmit")                                                       \
	X(OUT_OF_ORDER, "out_of_order", "out of order")                                                                \
	X(GAP, "gap", "segments before it not seen")                                                                   \
	X(DUPLICATE_ACK, "duplicate_ack", "duplicate ACK")                                                             \
	X(ZERO_WINDOW, "zero_window", "zero window")                                                                   \
	X(WINDOW_OPEN, "window_open", "window open again")                                                             \
	X(WINDOW_PROBE, "window_probe", "window probe")                                                                \
	X(KEEP_ALIVE, "keep_alive", "keep-alive")                                                                      \
	X(KEEP_ALIVE_ACK, "keep_alive_ack", "answers the keep-alive")                                                  \
	X(AFTER_FIN, "after_fin", "data after FIN")                                                                    \
	X(ANSWERS, "answers", "answers")                                                                               \
	X(PORT_REUSED, "port_reused", "port used again")                                                               \
	X(RESTARTS_TIME_WAIT, "restarts_time_wait", "TIME_WAIT begins anew")

enum mark {
#define X(name, json, text) MARK_##name,
	MARKS(X)
#undef X
		MARK_MAX,
};

#define MARK_BIT(name) (1U << MARK_##name)

#define VIEW_PASSED 4 /* states that one segment may take an end through */
#define VIEW_HOLES  8 /* sequence ranges of one end that were not seen, the oldest forgotten */
#define VIEW_RECENT 8 /* segments among which the one is looked for that a RST answers */

struct view_hole {
	uint32_t from, to; /* first byte, and the one behind the last */
	uint64_t since_ns;
};

/* One side of the connection. Sequence numbers are its own, as it sent them. */
struct view_end {
	struct addr addr;
	uint16_t port;
	uint8_t state;	  /* enum state; 0: unknown */
	bool is_known;	  /* the kernel tells its states: nothing is inferred */
	bool is_local;	  /* it is on this machine */
	bool has_isn;	  /* `isn` is that of a SYN; else the first number seen */
	bool has_next;	  /* it has sent something, or something of it was acknowledged */
	bool has_acked;	  /* it has sent an ACK, and with it a window */
	bool has_fin;	  /* it has sent a FIN */
	bool got_fin;	  /* it has received the FIN of the other end */
	bool fin_crosses; /* the other end's FIN is still under way to it, see view__foresee() */
	uint16_t window;  /* the last one that it offered, not scaled */
	uint32_t isn;
	uint32_t next;	  /* behind the highest number sent */
	uint32_t acked;	  /* the last acknowledgment number that it sent */
	uint32_t fin_seq; /* of the FIN itself */
	uint32_t duplicates;
	uint32_t last_marks;	     /* of its last segment */
	uint8_t passed[VIEW_PASSED]; /* the states that it entered with the last segment of either end */
	unsigned passed_count;
	struct view_hole holes[VIEW_HOLES];
	unsigned hole_count;
	uint64_t sent_again;
};

enum view_ending {
	VIEW_OPEN,
	VIEW_CLOSED, /* both FINs were acknowledged */
	VIEW_RESET,
	VIEW_REFUSED, /* the SYN was answered with a RST */
	VIEW_SILENT,  /* the SYN never was answered */
};

struct view {
	struct view_end ends[2]; /* [0]: the one that opened it, or this host */
	struct segment recent[VIEW_RECENT];
	uint64_t began_ns;
	uint64_t last_ns;
	uint64_t segments; /* rows; a GSO or GRO segment is one */
	uint64_t syn_ns;
	uint64_t handshake_ns; /* from the last SYN to the ACK that completes it; 0: not seen */
	uint64_t dropped;      /* segments that got no further here: by the kernel, or by the filter */
	int opener;	       /* which end sent the first SYN; -1: not seen */
	int first_fin;	       /* which end; -1: neither */
	int reset_by;	       /* likewise */
	bool has_answer;       /* the SYN was answered */
};

/* What one segment came to. */
struct view_row {
	int from;		 /* the sender: index into ends[] */
	uint64_t delta_ns;	 /* since the segment before */
	uint32_t marks;		 /* MARK_BIT()s */
	uint32_t duplicates;	 /* with DUPLICATE_ACK: its number in the row */
	struct segment answered; /* with ANSWERS: what the RST answers */
};

/* Begins a connection with its first segment, which is still to be taken. ends[0] is this host, or of a file the sender
 * of the SYN; where neither is known, the sender of the first segment. */
void view__begin(struct view *view, const struct segment *first);

/* Whether a segment is of this connection's addresses and ports. */
bool view__matches(const struct view *view, const struct segment *segment);

/* Whether it begins another connection: a SYN of another number, where this one has ended. */
bool view__is_reuse(const struct view *view, const struct segment *segment);

/*
 * Where the segments behind the next one are known already: whether its FIN crosses one of the other end, which does
 * not acknowledge it yet. `next` is the segment to be taken next, `count` how many there are from it on.
 */
void view__foresee(struct view *view, const struct segment *next, size_t count);

/* Takes the next segment, in the order of time. */
void view__take(struct view *view, const struct segment *segment, struct view_row *row);

/* A segment that this host has dropped, and of which no row is made. */
void view__note_drop(struct view *view);

/* Forgets which states the last segment led to. */
void view__clear_passed(struct view *view);

/* The kernel says that an end entered a state: from then on its states are not inferred. */
void view__set_state(struct view *view, int end, uint8_t state);

/* Which end has this address and port; -1: neither. */
int view__end_of(const struct view *view, const struct addr *addr, uint16_t port);

enum view_ending view__ending(const struct view *view);

/* A number of an end, counted from its first one: 0 for the SYN. Negative for one of the 65,536 before it. */
int64_t view__offset(const struct view *view, int end, uint32_t number);

#endif
