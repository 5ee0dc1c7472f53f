/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TLS session as GnuTLS has it: version, the server's certificate, and all that is wrong with that.
 */
#ifndef SYNWARDEN_FETCH_CERTIFICATE_H
#define SYNWARDEN_FETCH_CERTIFICATE_H

#include <curl/curl.h>

#include "fetch/page.h"

/*
 * Of a handshake that is over, whose certificate nothing has judged yet. It is judged by the certificates that the
 * system trusts, or those in the file that SSL_CERT_FILE names.
 */
void certificate__read(CURL *easy, const char *host, struct tls_seen *tls);

/* libcurl's text of a handshake that failed, in words. NULL: it is the connection that ended. */
const char *certificate__error(const char *text);

/* Whether the text says that the server closed the connection: it may have been reset since, by what is sent there. */
bool certificate__is_closed(const char *text);

#endif
