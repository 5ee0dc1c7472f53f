/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The certificate and key of the HTTP endpoint.
 */
#ifndef SYNWARDEN_SERVER_TLS_H
#define SYNWARDEN_SERVER_TLS_H

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls {
	char *cert; /* PEM, with its chain; NULL: no TLS */
	char *key;
};

/* Reads both files and checks that they belong together. -1 after a message; tls__free() in both cases. */
int tls__read(struct tls *tls, const char *cert_file, const char *key_file);
void tls__free(struct tls *tls);

#endif
