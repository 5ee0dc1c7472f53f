/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ClientHello that begins a TLS connection (RFC 8446, section 4.1.2): what it says in the clear.
 */
#ifndef SYNWARDEN_SEGMENTS_HTTP_HELLO_H
#define SYNWARDEN_SEGMENTS_HTTP_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HELLO_NAME_LEN 128
#define HTTP_HELLO_ALPN_LEN 64

struct http_hello {
	char name[HTTP_HELLO_NAME_LEN]; /* SNI (RFC 6066, section 3); "": none, or not within what is there */
	char alpn[HTTP_HELLO_ALPN_LEN]; /* RFC 7301, as "h2,http/1.1"; "": likewise */
};

/* Whether these bytes, the first of a connection, begin a TLS handshake. */
bool http_hello__begins(const uint8_t *data, size_t len);
/* What the first `len` bytes tell; they may be cut anywhere. Returns whether the whole ClientHello is there. */
bool http_hello__read(struct http_hello *hello, const uint8_t *data, size_t len);

#endif
