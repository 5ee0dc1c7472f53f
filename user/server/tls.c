// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tried out here, as libmicrohttpd keeps back what is wrong with them.
 */
#include <gnutls/gnutls.h>
#include <string.h>

#include "server/secrets.h"
#include "server/tls.h"
#include "text/log.h"

static int try_out(const struct tls *tls)
{
	gnutls_datum_t cert = {(unsigned char *)tls->cert, strlen(tls->cert)};
	gnutls_datum_t key = {(unsigned char *)tls->key, strlen(tls->key)};
	gnutls_certificate_credentials_t credentials;
	int err = gnutls_certificate_allocate_credentials(&credentials);

	if (err < 0)
		return err;
	err = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return err;
}

int tls__read(struct tls *tls, const char *cert_file, const char *key_file)
{
	int err;

	tls->cert = secrets__read("--tls-cert", cert_file, false);
	tls->key = tls->cert ? secrets__read("--tls-key", key_file, true) : NULL;
	if (!tls->key)
		return -1;
	err = try_out(tls);
	if (err >= 0)
		return 0;
	log_error("--tls-cert \"%s\" and --tls-key \"%s\" are not a certificate and its key, both in PEM and without a "
		  "password: %s",
		  cert_file, key_file, gnutls_strerror(err));
	return -1;
}

void tls__free(struct tls *tls)
{
	secrets__free(tls->cert);
	secrets__free(tls->key);
	*tls = (struct tls){};
}
