/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of a connection that may carry HTTP, in the socket's own storage: made with its first payload, so that
 * only established connections have one, and freed with the socket. What passes in both directions at once is taken in
 * turn.
 */
#ifndef SYNWARDEN_HTTP_RECORD_H
#define SYNWARDEN_HTTP_RECORD_H

#include "http_head.bpf.h"

#define HTTP_LOCK_TRIES 64

struct http_conn {
	__u64 asked_ns;		     /* the last segment of what asks; 0: not seen */
	__u64 head_ns;		     /* the first byte in `head` */
	__u32 busy;		     /* 1: a packet's program has the record */
	__u32 next[HTTP_DIRECTIONS]; /* sequence number behind what was seen without a gap */
	__u32 asked;		     /* requests that are certain */
	__u32 answered;
	__u32 maybe;		     /* what looked like a request, but may be the body of one */
	__u32 method;		     /* as http_head_method() has it, of the last request */
	__u16 copied;		     /* bytes of this turn, for `http` */
	__u8 known[HTTP_DIRECTIONS]; /* 1: `next` holds */
	__u8 kind;		     /* enum http_kind */
	__u8 likely;		     /* the kind that the asking side's first bytes suggest */
	__u8 role;		     /* enum role; ROLE_UNKNOWN: neither side has asked */
	__u8 turn;		     /* 1 + enum http_direction of who sends now; 0: none */
	__u8 opened;		     /* 1: the first bytes of this turn were judged */
	__u8 uncertain;		     /* 1: what comes next of the asking side may be the rest of a body */
	__u8 closing;		     /* 1: the answering side has sent a FIN: nothing more will be answered */
	__u8 fresh;		     /* as in struct http_piece */
	__u8 tries;		     /* turns that told nothing, where not fresh */
	__u8 turn_answers;	     /* 1: a final answer has begun in this turn */
	__u8 more;		     /* 1: an answer has come whose request was not seen */
	struct http_head head;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct http_conn);
} http_conns SEC(".maps");

/*
 * What arrives does not wait for the socket's lock, so two programs may want the record at once. One that interrupted
 * the other on this CPU would wait for ever: it gives up, and the loss is counted.
 */
static __always_inline int http_record_lock(struct http_conn *conn)
{
	int i;

	for (i = 0; i < HTTP_LOCK_TRIES; i++)
		if (!__sync_val_compare_and_swap(&conn->busy, 0, 1))
			return 0;
	return -1;
}

static __always_inline void http_record_unlock(struct http_conn *conn)
{
	__sync_lock_test_and_set(&conn->busy, 0);
}

static __always_inline int http_record_is_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* Whether neither side had sent anything before this packet. What is sent is counted before it is seen. */
static __always_inline int http_record_is_fresh(const struct http_packet *p)
{
	return !p->tcp->bytes_received && p->tcp->bytes_sent <= (p->direction == HTTP_OUT ? p->len : 0);
}

/*
 * The sequence number behind all that was seen, or passed while no program was there. The kernel's is behind ours where
 * what came waits in the socket's backlog, and with what is sent: it is seen before the kernel's number advances.
 */
static __always_inline __u32 http_record_next(const struct http_conn *conn, const struct http_packet *p)
{
	__u32 kernel = p->direction == HTTP_IN ? p->tcp->rcv_nxt : p->tcp->snd_nxt;
	__u32 own = conn->next[p->direction & 1];

	if (!conn->known[p->direction & 1])
		return http_record_is_after(p->seq, kernel) ? p->seq : kernel;
	return http_record_is_after(kernel, own) ? kernel : own;
}

/*
 * Takes from the packet what was seen before. -1: all of it was. *follows: 1: it continues what was seen, 0: it is
 * ahead of something that is missing.
 */
static __always_inline int http_record_advance(struct http_conn *conn, struct http_packet *p, int *follows)
{
	__u32 next = http_record_next(conn, p), seen;

	*follows = !http_record_is_after(p->seq, next);
	if (!*follows)
		return 0;
	seen = next - p->seq;
	if (seen >= p->len)
		return -1;
	p->at += seen;
	p->len -= seen;
	p->seq = next;
	conn->next[p->direction & 1] = next + p->len;
	conn->known[p->direction & 1] = 1;
	return 0;
}

static __always_inline int http_record_asks(const struct http_conn *conn, const struct http_packet *p)
{
	return conn->role == (p->direction == HTTP_IN ? ROLE_SERVER : ROLE_CLIENT);
}

#endif
