// SPDX-License-Identifier: GPL-2.0-only
/*
 * libcurl would stop at the first thing that is wrong. What a verifier says of a chain leaves the dates and names of
 * the server's own certificate out where its issuer is unknown: they are looked at here in any case.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetch/certificate.h"
#include "text/clean.h"

#define CHAIN_MAX 16

struct chain {
	gnutls_x509_crt_t certificates[CHAIN_MAX];
	unsigned count;
};

/* Adds to a list of phrases. What does not fit is cut. */
static void add(char text[CERTIFICATE_TEXT], const char *separator, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char text[CERTIFICATE_TEXT], const char *separator, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	used += snprintf(text + used, CERTIFICATE_TEXT - used, "%s", used ? separator : "");
	if (used >= CERTIFICATE_TEXT)
		return;
	va_start(args, format);
	vsnprintf(text + used, CERTIFICATE_TEXT - used, format, args);
	va_end(args);
}

static void read_chain(gnutls_session_t session, struct chain *chain)
{
	unsigned count = 0;
	const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);

	while (peers && chain->count < count && chain->count < CHAIN_MAX) {
		gnutls_x509_crt_t *certificate = &chain->certificates[chain->count];

		if (gnutls_x509_crt_init(certificate))
			break;
		chain->count++;
		if (gnutls_x509_crt_import(*certificate, &peers[chain->count - 1], GNUTLS_X509_FMT_DER))
			break;
	}
}

static void read_common_name(gnutls_x509_crt_t certificate, bool of_issuer, char text[CERTIFICATE_TEXT])
{
	size_t len = CERTIFICATE_TEXT;
	int error = of_issuer
			    ? gnutls_x509_crt_get_issuer_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text,
								   &len)
			    : gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &len);

	if (error)
		*text = '\0';
	print_clean(text);
}

/* The subject's alternative names, or, where there are none, its common name. */
static void read_names(gnutls_x509_crt_t certificate, struct tls_seen *tls)
{
	char name[CERTIFICATE_TEXT], text[INET6_ADDRSTRLEN];

	for (unsigned i = 0;; i++) {
		size_t len = sizeof(name) - 1;
		int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &len, NULL);

		if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
			break;
		if (type == GNUTLS_SAN_DNSNAME) {
			name[len] = '\0';
			add(tls->names, ", ", "%s", name);
		} else if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16)) {
			add(tls->names, ", ", "%s", inet_ntop(len == 4 ? AF_INET : AF_INET6, name, text, sizeof(text)));
		}
	}
	if (!*tls->names)
		add(tls->names, "", "%s", tls->subject);
	print_clean(tls->names);
}

static void judge_dates(gnutls_x509_crt_t certificate, struct tls_seen *tls)
{
	time_t now = time(NULL), from = gnutls_x509_crt_get_activation_time(certificate);
	time_t until = gnutls_x509_crt_get_expiration_time(certificate);
	struct tm utc;
	char date[32];

	tls->not_after = until;
	if (now > until) {
		strftime(date, sizeof(date), "%F %T", gmtime_r(&until, &utc));
		add(tls->wrong, "; ", "it expired on %s UTC", date);
	} else if (now < from) {
		strftime(date, sizeof(date), "%F %T", gmtime_r(&from, &utc));
		add(tls->wrong, "; ", "it is valid only from %s UTC on", date);
	}
}

static int load_trusted(gnutls_x509_trust_list_t trusted)
{
	const char *file = getenv("SSL_CERT_FILE");

	if (file && *file)
		return gnutls_x509_trust_list_add_trust_file(trusted, file, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	return gnutls_x509_trust_list_add_system_trust(trusted, 0, 0);
}

static void judge_status(const struct chain *chain, unsigned status, struct tls_seen *tls)
{
	gnutls_x509_crt_t own = chain->certificates[0];
	unsigned said = GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_EXPIRED |
			GNUTLS_CERT_NOT_ACTIVATED | GNUTLS_CERT_REVOKED | GNUTLS_CERT_INSECURE_ALGORITHM;
	bool is_dated = *tls->wrong;

	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND && gnutls_x509_crt_check_issuer(own, own))
		add(tls->wrong, "; ", "it is signed by itself");
	else if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		add(tls->wrong, "; ", "no authority that this host trusts has issued it (issuer: %s)", tls->issuer);
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED) && !is_dated)
		add(tls->wrong, "; ", "a certificate of its issuers is not valid now");
	if (status & GNUTLS_CERT_REVOKED)
		add(tls->wrong, "; ", "it is revoked");
	if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		add(tls->wrong, "; ", "it is signed by an insecure algorithm");
	if (status & ~said)
		add(tls->wrong, "; ", "GnuTLS refuses it (status 0x%x)", status & ~said);
}

static void judge_chain(struct chain *chain, struct tls_seen *tls)
{
	char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose};
	gnutls_x509_trust_list_t trusted;
	unsigned status = 0;
	int error;

	if (gnutls_x509_trust_list_init(&trusted, 0)) {
		add(tls->wrong, "; ", "it cannot be judged: out of memory");
		return;
	}
	error = load_trusted(trusted);
	if (error < 0)
		add(tls->wrong, "; ", "the trusted certificates cannot be read: %s", gnutls_strerror(error));
	error = gnutls_x509_trust_list_verify_crt2(trusted, chain->certificates, chain->count, &wanted, 1, 0, &status,
						   NULL);
	if (error)
		add(tls->wrong, "; ", "it cannot be judged: %s", gnutls_strerror(error));
	judge_status(chain, status, tls);
	gnutls_x509_trust_list_deinit(trusted, 1);
}

static void read_session(gnutls_session_t session, struct tls_seen *tls)
{
	gnutls_datum_t protocol;

	snprintf(tls->version, sizeof(tls->version), "%s",
		 gnutls_protocol_get_name(gnutls_protocol_get_version(session)) ?: "unknown");
	snprintf(tls->cipher, sizeof(tls->cipher), "%s",
		 gnutls_cipher_get_name(gnutls_cipher_get(session)) ?: "unknown");
	if (!gnutls_alpn_get_selected_protocol(session, &protocol))
		snprintf(tls->alpn, sizeof(tls->alpn), "%.*s", (int)protocol.size, (const char *)protocol.data);
}

static void judge(struct chain *chain, const char *host, struct tls_seen *tls)
{
	gnutls_x509_crt_t own = chain->certificates[0];

	read_common_name(own, false, tls->subject);
	read_common_name(own, true, tls->issuer);
	read_names(own, tls);
	judge_dates(own, tls);
	if (!gnutls_x509_crt_check_hostname(own, host))
		add(tls->wrong, "; ", "it is for %s, not for %s", tls->names, host);
	judge_chain(chain, tls);
}

void certificate__read(CURL *easy, const char *host, struct tls_seen *tls)
{
	struct curl_tlssessioninfo *info = NULL;
	struct chain chain = {};

	curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info);
	if (info && info->backend == CURLSSLBACKEND_GNUTLS && info->internals) {
		read_session(info->internals, tls);
		read_chain(info->internals, &chain);
	}
	if (chain.count)
		judge(&chain, host, tls);
	else
		add(tls->wrong, "", "the server has shown none");
	for (unsigned i = 0; i < chain.count; i++)
		gnutls_x509_crt_deinit(chain.certificates[i]);
}

bool certificate__is_closed(const char *text)
{
	return strstr(text, gnutls_strerror(GNUTLS_E_PREMATURE_TERMINATION));
}

const char *certificate__error(const char *text)
{
	static const char prefix[] = "gnutls_handshake() failed: ";

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	text += sizeof(prefix) - 1;
	if (certificate__is_closed(text) || strstr(text, gnutls_strerror(GNUTLS_E_PULL_ERROR)) ||
	    strstr(text, gnutls_strerror(GNUTLS_E_PUSH_ERROR)))
		return NULL;
	if (strstr(text, gnutls_strerror(GNUTLS_E_UNEXPECTED_PACKET)) ||
	    strstr(text, gnutls_strerror(GNUTLS_E_UNSUPPORTED_VERSION_PACKET)))
		return "the server does not speak TLS on this port";
	return text;
}
