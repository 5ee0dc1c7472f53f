/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of `run --http on`, by listening port; what this host asks of others has an entry of its own. Without an
 * entry nothing is counted.
 */
#ifndef SYNWARDEN_HTTP_COUNT_H
#define SYNWARDEN_HTTP_COUNT_H

#include "http_record.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"

static __always_inline struct http_count *http_count_of(const struct http_conn *conn, __u16 lport)
{
	__u32 key = HTTP_COUNT_CLIENT;

	if (conn->role == ROLE_SERVER)
		key = HTTP_COUNT_PORTS + ports_slot(lport);
	return bpf_map_lookup_elem(&http_counts, &key);
}

/* What the connection carries is known now. */
static __always_inline void http_count_connection(const struct http_conn *conn, __u16 lport)
{
	struct http_count *count = http_count_of(conn, lport);

	if (!count)
		return;
	if (conn->kind == HTTP_KIND_2)
		report_add(&count->connections[HTTP_CARRIES_2], 1);
	else if (conn->kind == HTTP_KIND_TLS)
		report_add(&count->connections[HTTP_CARRIES_TLS], 1);
	else
		report_add(&count->connections[HTTP_CARRIES_1], 1);
}

/* The time from the request's last byte to the answer's first. Not known where requests were sent ahead. */
static __always_inline void http_count_first_byte(struct http_count *count, const struct http_conn *conn)
{
	__u64 ns = conn->head_ns - conn->asked_ns, bound = HTTP_FIRST_BYTE_US * 1000;
	__u32 slot;

	if (!conn->asked_ns || conn->asked_ns > conn->head_ns || conn->maybe || conn->asked != conn->answered)
		return;
	for (slot = 0; slot < HTTP_FIRST_BYTE_SLOTS - 1 && ns > bound; slot++)
		bound *= 4;
	if (slot >= HTTP_FIRST_BYTE_SLOTS)
		return;
	report_add(&count->first_byte[slot], 1);
	report_add(&count->first_byte_ns, ns);
}

/*
 * An answer that belongs to a request that was seen, and is not yet among conn->turn_answers. A status outside of the
 * classes counts as a server error (RFC 9110, section 15).
 */
static __always_inline void http_count_answer(const struct http_conn *conn, __u16 lport, __u32 status)
{
	struct http_count *count = http_count_of(conn, lport);
	__u32 class = (status / 100) & 15; /* the mask is for verifiers, which know no bounds of a quotient */

	if (!count)
		return;
	if (class >= HTTP_CLASSES)
		class = HTTP_CLASSES - 1;
	report_add(&count->requests[class], 1);
	if (!conn->turn_answers)
		http_count_first_byte(count, conn);
}

/* An answer has followed another one, to a request that was seen or not. */
static __always_inline void http_count_pipelined(const struct http_conn *conn, __u16 lport)
{
	struct http_count *count = http_count_of(conn, lport);

	if (count)
		report_add(&count->pipelined, 1);
}

/* Without a branch, of which the verifier would take both: the sign tells whether a bound is exceeded. */
static __always_inline void http_count_requests(struct http_count *count, __u32 requests)
{
	static const __u32 bounds[HTTP_REQUEST_SLOTS - 1] = HTTP_REQUEST_BOUNDS;
	__u64 slot = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < HTTP_REQUEST_SLOTS - 1; i++)
		slot += ((__u64)bounds[i] - requests) >> 63;
	if (slot >= HTTP_REQUEST_SLOTS)
		return;
	report_add(&count->per_connection[slot], 1);
	report_add(&count->ended_requests, requests);
}

static __always_inline __u32 http_count_closer(const struct http_conn *conn, __u32 ending, __u32 closer)
{
	if (ending == ENDING_RESET_SENT || ending == ENDING_RESET_RECEIVED)
		return HTTP_BY_RESET;
	if (closer != CLOSER_LOCAL && closer != CLOSER_REMOTE)
		return HTTP_BY_OTHER;
	return (closer == CLOSER_LOCAL) == (conn->role == ROLE_SERVER) ? HTTP_BY_SERVER : HTTP_BY_CLIENT;
}

/* The socket closes. A request that nothing has answered is taken for one, though no answer has confirmed it. */
static __always_inline void http_count_end(struct sock *sk, __u16 lport, __u32 ending, __u32 closer)
{
	struct http_conn *conn = bpf_sk_storage_get(&http_conns, sk, 0, 0);
	struct http_count *count;
	__u32 by;

	if (!conn || !conn->role || conn->likely != HTTP_KIND_1 || conn->kind == HTTP_KIND_OTHER)
		return;
	count = http_count_of(conn, lport);
	if (!count)
		return;
	if (conn->kind == HTTP_KIND_UNDECIDED)
		report_add(&count->connections[HTTP_CARRIES_1], 1);
	report_add(&count->requests[HTTP_UNANSWERED], conn->asked - conn->answered);
	if (conn->asked) /* else it is older than the counting */
		http_count_requests(count, conn->asked);
	by = http_count_closer(conn, ending, closer);
	if (by < HTTP_CLOSERS)
		report_add(&count->closed[by], 1);
}

/* A connection begins. The record of the socket's former connection was kept past CLOSE, because `conns` reads it
 * there. */
static __always_inline void http_count_begin(struct sock *sk)
{
	bpf_sk_storage_delete(&http_conns, sk);
}

#endif
