/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP on TCP connections: what the kernel side copies of it for `http`, and counts for `run --http on`. The
 * conventions of types.h hold; sequence numbers are in host byte order.
 */
#ifndef SYNWARDEN_HTTP_H
#define SYNWARDEN_HTTP_H

#include <linux/types.h>

#include "conns.h"

/* What a connection carries. */
enum http_kind {
	HTTP_KIND_UNDECIDED,
	HTTP_KIND_1,	    /* HTTP/1.x: an answer has confirmed it */
	HTTP_KIND_2,	    /* HTTP/2 in cleartext */
	HTTP_KIND_TLS,	    /* whatever is within */
	HTTP_KIND_UPGRADED, /* no longer HTTP/1.x: 101, or 2xx to CONNECT */
	HTTP_KIND_OTHER,
	HTTP_KIND_MAX,
};

enum http_direction {
	HTTP_IN,
	HTTP_OUT,
	HTTP_DIRECTIONS,
};

#define HTTP_PIECE_BYTES 256

/* Copied of a turn (all that one side sends before the other side sends again): of a request, or of what is not known
 * to be an answer, and of an answer. */
#define HTTP_REQUEST_BYTES 2048
#define HTTP_ANSWER_BYTES  512

/*
 * New payload of one connection, in the order in which it passed: a segment, or a part of one. The bytes that follow
 * `copied` were not copied. What is missing between two pieces was not sent through the ring, or lost there.
 */
struct http_piece {
	struct event event; /* time, cookie (0: it came to the listener, with the last ACK of the handshake), flow,
			       owner; what: RING_HTTP */
	__u32 seq;	    /* of its first byte */
	__u32 len;	    /* 0: a FIN alone */
	__u16 copied;	    /* bytes of `data` */
	__u8 direction;	    /* enum http_direction */
	__u8 fin;	    /* 1: a FIN follows its last byte */
	__u8 fresh;	    /* 1: nothing was sent or received on the connection before its first piece */
	__u8 ahead;	    /* 1: something is missing before it, which may still come */
	__u8 pad[2];
	__u8 tail[8]; /* its last bytes, where `len` is 8 or more; else 0 */
	__u8 data[HTTP_PIECE_BYTES];
};

/* A slot of a ring, as struct ring_slot. */
struct http_slot {
	__u64 turn;
	struct http_piece piece;
};

/* Requests by the first digit of their answer's status. */
enum http_class {
	HTTP_UNANSWERED, /* the connection ended before */
	HTTP_SERVER_ERROR = 5,
	HTTP_CLASSES,
};

/* Connections by what they carry. */
enum http_carries {
	HTTP_CARRIES_1,
	HTTP_CARRIES_2,
	HTTP_CARRIES_TLS,
	HTTP_CARRIES_MAX,
};

/* HTTP/1.x connections by the side that ended them. */
enum http_closer {
	HTTP_BY_CLIENT,
	HTTP_BY_SERVER,
	HTTP_BY_RESET,
	HTTP_BY_OTHER, /* neither side: a time-out, say */
	HTTP_CLOSERS,
};

/* Upper bounds of a histogram's slots; one more slot is above them all. */
#define HTTP_REQUEST_BOUNDS                                                                                            \
	{                                                                                                              \
		1, 2, 5, 10, 100, 1000                                                                                 \
	}
#define HTTP_REQUEST_SLOTS    7
#define HTTP_FIRST_BYTE_US    64 /* of the first slot; each next one's is four times as large, */
#define HTTP_FIRST_BYTE_SLOTS 12 /* 67 s of the last but one */

/* What `run --http on` counts of one listening port, per CPU. */
struct http_count {
	__u64 requests[HTTP_CLASSES]; /* [1] to [5]: 1xx to 5xx */
	__u64 connections[HTTP_CARRIES_MAX];
	__u64 per_connection[HTTP_REQUEST_SLOTS]; /* HTTP/1.x connections that ended, by how many requests they carried
						   */
	__u64 ended_requests;			  /* the sum of these */
	__u64 first_byte[HTTP_FIRST_BYTE_SLOTS];  /* answers, by the time from the request's last byte to their first */
	__u64 first_byte_ns;			  /* the sum of these */
	__u64 pipelined;			  /* answers that followed another one while the client sent nothing */
	__u64 closed[HTTP_CLOSERS];
};

/* Entries of `http_counts`: requests that this host sends, then the ports by their slot. */
#define HTTP_COUNT_CLIENT 0
#define HTTP_COUNT_PORTS  1

_Static_assert(sizeof(struct http_piece) == 400, "a piece has no holes");
_Static_assert(__builtin_offsetof(struct http_slot, piece) == __builtin_offsetof(struct ring_slot, event),
	       "a piece begins where an event does");

#endif
