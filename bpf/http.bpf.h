/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP on a connection, by its turns: what one side sends until the other side sends. In a turn of the asking side a
 * request may begin, in one of the answering side an answer; bodies are not read. A request counts when its answer's
 * status line has come, so that another protocol's "GET me out" counts nothing.
 *
 * What begins a segment and looks like a request is one for certain only as the first of a turn, where no body can be
 * under way. Otherwise it may be part of a body, and counts only if one more answer comes.
 */
#ifndef SYNWARDEN_HTTP_BPF_H
#define SYNWARDEN_HTTP_BPF_H

#include "http_copy.bpf.h"
#include "http_count.bpf.h"

#define HTTP_TRIES	  8 /* turns of a connection whose beginning was not seen, until it is taken for another protocol */
#define HTTP_INTERIM	  4    /* interim answers in one segment */
#define HTTP_INTERIM_HEAD 1024 /* bytes of one */

/* Methods as http_head_method() has them. */
#define HTTP_GET     ('G' << 16 | 'E' << 8 | 'T')
#define HTTP_HEAD    ('H' << 24 | 'E' << 16 | 'A' << 8 | 'D')
#define HTTP_CONNECT ('N' << 24 | 'E' << 16 | 'C' << 8 | 'T')

/* A packet on its way through this file. */
struct http_step {
	struct http_conn *conn;
	struct http_packet *p;
	__u64 now;
	int follows; /* 1: nothing is missing before it */
};

static __always_inline void http_is_other(struct http_conn *conn)
{
	conn->head.count = 0;
	conn->role = ROLE_UNKNOWN;
	conn->asked = 0;
	if (conn->fresh || ++conn->tries >= HTTP_TRIES)
		conn->kind = HTTP_KIND_OTHER;
}

/* A request begins with this segment. */
static __always_inline void http_asked(struct http_conn *conn, __u32 method)
{
	conn->method = method;
	if (conn->opened || conn->uncertain)
		conn->maybe++;
	else
		conn->asked++;
}

/* 0: what the packet has from payload byte `from` on was appended. */
static __always_inline int http_gather(const struct http_step *s, __u32 from)
{
	if (!s->conn->head.count)
		s->conn->head_ns = s->now;
	return http_head_append(&s->conn->head, s->p, from);
}

/*
 * Compares what was gathered so far and goes on in this packet; where that is nothing, what begins with this packet.
 */
static __always_inline __u32 http_compare(const struct http_step *s, __u32 from, int status)
{
	struct http_head *head = &s->conn->head;
	__u32 match = HTTP_MATCH_MORE;
	int i;

	for (i = 0; i < 2; i++) {
		int begins = !head->count;

		if (http_gather(s, from))
			return HTTP_MATCH_MORE;
		match = status ? http_head_status(head) : http_head_method(head);
		if (match != HTTP_MATCH_MORE)
			head->count = 0;
		if (match != HTTP_MATCH_NO || begins)
			break;
	}
	return match;
}

/* The asking side has sent something. */
static __always_inline void http_take_request(const struct http_step *s)
{
	struct http_conn *conn = s->conn;
	__u32 match;

	conn->asked_ns = s->now;
	if (!s->follows || conn->closing)
		return;
	match = http_compare(s, 0, 0);
	if (match >= HTTP_MATCH_YES)
		http_asked(conn, match);
	if (match != HTTP_MATCH_MORE)
		conn->opened = 1;
}

/* The final answer to the oldest request begins with this segment. */
static __always_inline void http_answered(const struct http_step *s, __u32 status)
{
	struct http_conn *conn = s->conn;

	if (!cfg.stream && conn->turn_answers)
		http_count_pipelined(conn, s->p->flow.lport);
	if (conn->asked == conn->answered) {
		if (!conn->maybe) {
			conn->more = 1;
			return;
		}
		conn->maybe--;
		conn->asked++;
	}
	conn->answered++;
	if (!cfg.stream)
		http_count_answer(conn, s->p->flow.lport, status);
	conn->turn_answers = 1;
	conn->uncertain = status >= 400 && conn->method != HTTP_GET && conn->method != HTTP_HEAD;
	if (status == 101 || (status / 100 == 2 && conn->method == HTTP_CONNECT))
		conn->kind = HTTP_KIND_UPGRADED;
}

struct http_scan {
	const struct http_packet *p;
	__u32 at; /* payload byte */
	int found;
};

static long http_scan_end(__u32 i, struct http_scan *scan)
{
	__u8 end[4];

	if (bpf_skb_load_bytes(scan->p->skb, scan->p->at + scan->at, end, sizeof(end)))
		return 1;
	if (end[0] == '\r' && end[1] == '\n' && end[2] == '\r' && end[3] == '\n') {
		scan->at += sizeof(end);
		scan->found = 1;
		return 1;
	}
	scan->at++;
	return 0;
}

/* Where, in the payload, the head ends that is there at `from`. 0: not in this segment, or with it. */
static __always_inline __u32 http_head_ends(const struct http_packet *p, __u32 from)
{
	struct http_scan scan = {.p = p, .at = from};

	bpf_loop(HTTP_INTERIM_HEAD, http_scan_end, &scan, 0);
	return scan.found && scan.at < p->len ? scan.at : 0;
}

/* The answering side has sent something. An interim answer (1xx) is followed by another, maybe in the same segment. */
static __always_inline void http_take_answer(const struct http_step *s)
{
	struct http_conn *conn = s->conn;
	__u32 status, from = 0;
	int i;

	for (i = 0; s->follows && i < HTTP_INTERIM; i++) {
		status = http_compare(s, from, 1);
		if (status == HTTP_MATCH_MORE)
			break;
		if (status == HTTP_MATCH_NO) {
			if (conn->kind == HTTP_KIND_UNDECIDED)
				http_is_other(conn);
			break;
		}
		conn->kind = HTTP_KIND_1;
		if (status >= 200 || status == 101) {
			http_answered(s, status);
			break;
		}
		conn->uncertain = 1;
		from = http_head_ends(s->p, from);
		if (!from)
			break;
	}
}

/* Neither side has asked yet: is this a request, or an answer to one that was not seen? */
static __always_inline void http_take_opening(const struct http_step *s)
{
	struct http_conn *conn = s->conn;
	int in = s->p->direction == HTTP_IN;
	enum http_kind kind;
	__u32 match;

	if (!s->follows || http_gather(s, 0))
		return;
	match = http_head_opening(&conn->head, &kind);
	if (match >= HTTP_MATCH_YES) {
		conn->head.count = 0;
		conn->role = in ? ROLE_SERVER : ROLE_CLIENT;
		conn->likely = kind;
		conn->asked_ns = s->now;
		if (kind == HTTP_KIND_1)
			http_asked(conn, match);
		conn->opened = 1;
	}
	if (match != HTTP_MATCH_NO)
		return;
	match = http_head_status(&conn->head);
	if (match == HTTP_MATCH_NO)
		http_is_other(conn);
	if (match < HTTP_MATCH_YES)
		return;
	conn->role = in ? ROLE_CLIENT : ROLE_SERVER;
	conn->kind = conn->likely = HTTP_KIND_1;
	/* The first that is sent here, after something came: a request with the last ACK of the handshake, say. */
	conn->asked = !in && s->p->tcp->bytes_received && s->p->tcp->bytes_sent <= s->p->len;
	if (match >= 200 || match == 101)
		http_answered(s, match);
	conn->head.count = 0;
}

/* The answer to what may be HTTP/2, or TLS. */
static __always_inline void http_take_other_answer(const struct http_step *s)
{
	struct http_conn *conn = s->conn;
	__u32 match;

	if (!s->follows || http_gather(s, 0))
		return;
	match = conn->likely == HTTP_KIND_2 ? http_head_settings(&conn->head) : http_head_tls(&conn->head, 1);
	if (match == HTTP_MATCH_YES)
		conn->kind = conn->likely;
	else if (match == HTTP_MATCH_NO)
		http_is_other(conn);
}

static __always_inline void http_take(const struct http_step *s)
{
	struct http_conn *conn = s->conn;

	if (conn->turn != s->p->direction + 1) {
		conn->turn = s->p->direction + 1;
		conn->head.count = 0;
		conn->copied = 0;
		conn->opened = 0;
		conn->turn_answers = 0;
	}
	if (!conn->role)
		http_take_opening(s);
	else if (conn->likely == HTTP_KIND_1 && http_record_asks(conn, s->p))
		http_take_request(s);
	else if (conn->likely == HTTP_KIND_1)
		http_take_answer(s);
	else if (!http_record_asks(conn, s->p))
		http_take_other_answer(s);
}

/* Whether `http` gets a packet that found the connection as `before`. */
static __always_inline int http_is_told(const struct http_conn *conn, __u8 before)
{
	return cfg.stream == STREAM_HTTP && before <= HTTP_KIND_1 && conn->kind != HTTP_KIND_OTHER;
}

static __always_inline void http_see_record(struct http_conn *conn, struct http_packet *p)
{
	struct http_step s = {.conn = conn, .p = p, .follows = 1};
	__u8 before = conn->kind;

	s.now = bpf_ktime_get_ns();
	if (!conn->turn)
		conn->fresh = http_record_is_fresh(p);
	if (!p->len)
		s.follows = !http_record_is_after(p->seq, http_record_next(conn, p));
	else if (http_record_advance(conn, p, &s.follows))
		return;
	else
		http_take(&s);
	if (p->flags & TCP_FIN && conn->role && !http_record_asks(conn, p))
		conn->closing = 1;
	if (!cfg.stream && before == HTTP_KIND_UNDECIDED && conn->kind != before && conn->kind != HTTP_KIND_OTHER)
		http_count_connection(conn, p->flow.lport);
	if (http_is_told(conn, before))
		http_copy(conn, p, s.now, s.follows);
}

/*
 * A packet of any TCP socket, in or out. Nothing that happens here decides whether it passes. Packets of a connection
 * with another protocol are not parsed: these may be most of a machine's packets.
 */
static __always_inline void http_see(struct __sk_buff *skb, enum http_direction direction)
{
	struct http_packet p = {.skb = skb, .direction = direction};
	struct http_conn *conn;

	p.tcp = http_packet_socket(skb);
	if (!p.tcp)
		return;
	conn = bpf_sk_storage_get(&http_conns, p.tcp, 0, 0);
	if (conn && conn->kind > HTTP_KIND_1)
		return;
	if (http_packet_parse(&p))
		return;
	if (p.tcp->inet_conn.icsk_inet.sk.__sk_common.skc_state == STATE_LISTEN) {
		if (cfg.stream == STREAM_HTTP && p.len)
			http_copy_early(&p);
		return;
	}
	if (!conn && p.len) {
		conn = bpf_sk_storage_get(&http_conns, p.tcp, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (!conn)
			report_loss(LOSS_STORAGE);
	}
	if (!conn)
		return;
	if (http_record_lock(conn)) {
		report_loss(LOSS_HTTP);
		return;
	}
	http_see_record(conn, &p);
	http_record_unlock(conn);
}

#endif
