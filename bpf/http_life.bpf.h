/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `run --http on` knows of a connection, for `conns` and the endpoint's streams. `http_conns` is then the map of
 * that `run`. Nothing is written here.
 */
#ifndef SYNWARDEN_HTTP_LIFE_H
#define SYNWARDEN_HTTP_LIFE_H

#include "http_record.bpf.h"

static __always_inline enum protocol http_life_protocol(const struct http_conn *conn)
{
	switch (conn->kind) {
	case HTTP_KIND_UNDECIDED: /* asked, and not answered */
		return conn->role && conn->likely == HTTP_KIND_1 ? PROTOCOL_HTTP1 : PROTOCOL_UNKNOWN;
	case HTTP_KIND_1:
	case HTTP_KIND_UPGRADED:
		return PROTOCOL_HTTP1;
	case HTTP_KIND_2:
		return PROTOCOL_H2C;
	case HTTP_KIND_TLS:
		return PROTOCOL_TLS;
	default:
		return PROTOCOL_OTHER;
	}
}

/* Whether payload passed that was not seen, as where the `run` has ended. The kernel's number may have a FIN in it. */
static __always_inline int http_life_missed(const struct http_conn *conn, const struct tcp_sock *tcp)
{
	if (conn->kind > HTTP_KIND_1)
		return 0; /* no request follows, and nothing more is looked at */
	return (conn->known[HTTP_IN] && (__s32)(tcp->rcv_nxt - conn->next[HTTP_IN]) > 1) ||
	       (conn->known[HTTP_OUT] && (__s32)(tcp->snd_nxt - conn->next[HTTP_OUT]) > 1);
}

/* Sets what `life`, which is all zero there, has of HTTP. */
static __always_inline void http_life_tell(struct life *life, const struct tcp_sock *tcp)
{
	const struct http_conn *conn;

	if (!cfg.http_lives)
		return;
	conn = bpf_sk_storage_get(&http_conns, (void *)tcp, 0, 0);
	if (!conn)
		return;
	life->protocol = http_life_protocol(conn);
	if (life->protocol != PROTOCOL_HTTP1)
		return;
	life->requests = conn->asked;
	life->more = conn->more || !conn->fresh || http_life_missed(conn, tcp);
}

#endif
