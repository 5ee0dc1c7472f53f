/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Payload -> struct http_piece, into the stream's ring, for `http` alone.
 */
#ifndef SYNWARDEN_HTTP_COPY_H
#define SYNWARDEN_HTTP_COPY_H

#include "http_record.bpf.h"
#include "report.bpf.h"
#include "ring.bpf.h"

#define HTTP_COPY_PIECES (HTTP_REQUEST_BYTES / HTTP_PIECE_BYTES)

/* One packet's way through the ring. */
struct http_copying {
	const struct http_packet *p;
	const struct http_conn *conn; /* NULL: it came to the listener */
	__u64 now;
	__u32 at;    /* offset in the packet of what is not sent yet */
	__u32 left;  /* payload bytes not sent yet, */
	__u32 known; /* and how many of them are to be copied */
	__u32 seq;
	__u8 ahead; /* as in struct http_piece */
};

static __always_inline void http_copy_identity(struct event *e, const struct http_copying *c)
{
	const struct http_packet *p = c->p;
	const struct conn *tracked;

	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = c->now;
	e->flow = p->flow;
	e->what = RING_HTTP;
	if (!c->conn)
		return;
	e->cookie = bpf_get_socket_cookie(p->skb);
	tracked = bpf_sk_storage_get(&conns, p->tcp, 0, 0);
	if (tracked)
		e->owner = tracked->owner;
}

/* The next piece. Returns 0 where more are to follow. */
static long http_copy_piece(__u32 i, struct http_copying *c)
{
	const struct http_packet *p = c->p;
	__u32 copied = c->known < HTTP_PIECE_BYTES ? c->known : HTTP_PIECE_BYTES;
	int last = c->known <= HTTP_PIECE_BYTES;
	struct http_piece *piece;
	struct http_slot *slot;
	__u64 turn;

	slot = (struct http_slot *)ring_take(&turn);
	if (!slot) {
		report_loss(LOSS_RING);
		return 1;
	}
	piece = &slot->piece;
	http_copy_identity(&piece->event, c);
	piece->seq = c->seq;
	piece->len = last ? c->left : copied;
	piece->copied = copied;
	piece->direction = p->direction;
	piece->fin = last && p->flags & TCP_FIN;
	piece->fresh = !c->conn || c->conn->fresh;
	piece->ahead = c->ahead;
	__builtin_memset(piece->tail, 0, sizeof(piece->tail));
	if (last && c->left >= sizeof(piece->tail))
		bpf_skb_load_bytes(p->skb, c->at + c->left - sizeof(piece->tail), piece->tail, sizeof(piece->tail));
	if (copied) {
		copied = ((copied - 1) & (HTTP_PIECE_BYTES - 1)) + 1;
		if (bpf_skb_load_bytes(p->skb, c->at, piece->data, copied))
			piece->copied = 0;
	}
	ring_publish((struct ring_slot *)slot, turn);
	c->at += copied;
	c->seq += copied;
	c->left -= copied;
	c->known -= copied;
	return last;
}

/* How much of the packet is to be copied; -1: it is left out. Behind the first bytes of a turn, what
 * was pushed is copied: the end of a message nearly always is. */
static __always_inline int http_copy_budget(struct http_conn *conn, const struct http_packet *p)
{
	__u32 most = conn->role && !http_record_asks(conn, p) ? HTTP_ANSWER_BYTES : HTTP_REQUEST_BYTES, n;

	if (conn->copied < most) {
		n = p->len < most - conn->copied ? p->len : most - conn->copied;
		conn->copied += n;
		return n;
	}
	if (!(p->flags & (TCP_PSH | TCP_FIN)))
		return -1;
	return p->len < HTTP_PIECE_BYTES ? p->len : HTTP_PIECE_BYTES;
}

/* New payload, or a FIN, of a connection with a record. */
static __always_inline void http_copy(struct http_conn *conn, const struct http_packet *p, __u64 now, int follows)
{
	struct http_copying c = {
		.p = p, .conn = conn, .now = now, .at = p->at, .left = p->len, .seq = p->seq, .ahead = !follows};
	int budget = http_copy_budget(conn, p);

	if (budget < 0)
		return;
	c.known = budget;
	bpf_loop(HTTP_COPY_PIECES, http_copy_piece, &c, 0);
}

/* Data that came with the last ACK of a handshake, or with TCP Fast Open's SYN: its socket is not made yet. */
static __always_inline void http_copy_early(const struct http_packet *p)
{
	struct http_copying c = {.p = p, .now = bpf_ktime_get_ns(), .at = p->at, .left = p->len, .seq = p->seq};

	c.known = p->len < HTTP_REQUEST_BYTES ? p->len : HTTP_REQUEST_BYTES;
	bpf_loop(HTTP_COPY_PIECES, http_copy_piece, &c, 0);
}

#endif
