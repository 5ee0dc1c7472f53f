/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers of a request that are ours to read. Input: a letter, and the header's value: 't' Accept, 'g' Accept-Encoding,
 * 'a' Authorization, 'c' USER:PASSWORD, 'u' the file of users. Only the right password lets anybody in; what is wished
 * for depends neither on letters' case nor on the order of wishes.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_HEADERS_H
#define SYNWARDEN_TESTS_FUZZ_HEADERS_H

#include <crypt.h>
#include <ctype.h>
#include <gnutls/gnutls.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "auth.h"
#include "fuzz.h"
#include "negotiate.h"

#define USERS_FD   97
#define USERS_PATH "/proc/self/fd/97"
#define USER	   "ann"
#define PASSWORD   "se:cret"
#define BASIC	   "Basic YW5uOnNlOmNyZXQ=" /* of both */

static void put_users(const void *bytes, size_t size)
{
	int memory = memfd_create("users", MFD_CLOEXEC);

	if (memory < 0 || fchmod(memory, 0600) || dup2(memory, USERS_FD) != USERS_FD ||
	    write(USERS_FD, bytes, size) != (ssize_t)size)
		abort();
	close(memory);
}

/* One user who has not shown a password yet, and nobody has tried a wrong one. */
static struct auth *new_user(void)
{
	struct auth *auth;
	char line[256];

	snprintf(line, sizeof(line), USER ":%s\n", crypt(PASSWORD, "$6$rounds=1000$saltsaltsalt$"));
	put_users(line, strlen(line));
	if (auth__open(&auth, USERS_PATH))
		abort();
	return auth;
}

/* The items in the reverse order. */
static char *turn_round(const char *list)
{
	size_t len = strlen(list), at = 0;
	char *turned = calloc(1, len + 1);

	if (!turned)
		abort();
	while (len) {
		const char *comma = memrchr(list, ',', len);
		size_t item = comma ? len - (comma + 1 - list) : len;

		memcpy(turned + at, list + len - item, item);
		at += item;
		len -= item;
		if (comma) {
			turned[at++] = ',';
			len--;
		}
	}
	return turned;
}

static void turn_upper(char *text)
{
	for (; *text; text++)
		*text = toupper((unsigned char)*text);
}

static void try_accept(const char *text)
{
	static const char *const types[] = {"text/plain; version=0.0.4; charset=utf-8",
					    "application/openmetrics-text; version=1.0.0; charset=utf-8",
					    "application/json", "text/html; charset=utf-8"};
	char *turned = turn_round(text), *upper = strdup(text);

	turn_upper(upper);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		unsigned wish = negotiate__type(text, types[i]);

		PROPERTY(wish <= 1000, "\"%s\": %u", text, wish);
		PROPERTY(negotiate__type(upper, types[i]) == wish, "\"%s\": %u, and not in upper case", text, wish);
		if (!strchr(text, '"'))
			PROPERTY(negotiate__type(turned, types[i]) == wish, "\"%s\": %u, but not turned round", text,
				 wish);
	}
	free(turned);
	free(upper);
}

static void try_encoding(const char *text)
{
	bool wish = negotiate__gzip(text);
	char *longer, *upper = strdup(text);

	turn_upper(upper);
	PROPERTY(negotiate__gzip(upper) == wish, "\"%s\": not the same in upper case", text);
	PROPERTY(!wish || strcasestr(text, "gzip") || strchr(text, '*'), "\"%s\" wishes for gzip", text);
	if (asprintf(&longer, "%s,gzip;q=0", text) < 0)
		abort();
	if (!strchr(text, '"'))
		PROPERTY(!negotiate__gzip(longer), "\"%s\" wishes for gzip", longer);
	free(longer);
	free(upper);
}

/* Whether the header is one of those that say "ann:se:cret", by a decoder that knows no mistakes. */
static bool is_right(const char *header)
{
	char blankless[64];
	size_t len = 0;

	for (; *header && len < sizeof(blankless) - 1; header++)
		if (!isspace((unsigned char)*header))
			blankless[len++] = *header;
	blankless[len] = '\0';
	return !strncasecmp(blankless, "Basic", 5) && !strncmp(blankless + 5, "YW5uOnNlOmNyZXQ", 15);
}

static void try_authorization(const char *text)
{
	static struct auth *auth; /* one, as each new password costs its hash */
	enum auth_answer answer;

	if (!auth) {
		auth = new_user();
		PROPERTY(auth__check(auth, BASIC) == AUTH_GRANTED, "the right password");
	}
	answer = auth__check(auth, text);
	PROPERTY(answer != AUTH_GRANTED || is_right(text), "\"%s\" is let in", text);
	PROPERTY(auth__check(auth, BASIC) == AUTH_GRANTED, "after \"%s\" the right password is refused", text);
}

static void try_credential(const char *text)
{
	gnutls_datum_t plain = {(unsigned char *)text, strlen(text)}, encoded;
	struct auth *auth = new_user();
	enum auth_answer answer;
	char *header;

	if (gnutls_base64_encode2(&plain, &encoded) < 0 || asprintf(&header, "bAsIc  %s", encoded.data) < 0)
		abort();
	answer = auth__check(auth, header);
	PROPERTY((answer == AUTH_GRANTED) == !strcmp(text, USER ":" PASSWORD), "\"%s\": %d", text, answer);
	auth__close(auth);
	gnutls_free(encoded.data);
	free(header);
}

static void try_users(const char *text)
{
	struct fuzz_said said;
	struct auth *auth;
	size_t lines;
	int ret;

	put_users(text, strlen(text));
	fuzz_listen(&said);
	ret = auth__open(&auth, USERS_PATH);
	lines = fuzz_heard(&said);
	PROPERTY(lines == (ret != 0), "returned %d after: %s", ret, said.text);
	PROPERTY(!ret == !!auth, "returned %d", ret);
	PROPERTY(!auth || auth__check(auth, NULL) == AUTH_REFUSED, "nobody is let in");
	free(said.text);
	auth__close(auth);
}

static void fuzz_headers(const uint8_t *data, size_t size)
{
	static void (*const readers[256])(const char *text) = {
		['t'] = try_accept,	['g'] = try_encoding, ['a'] = try_authorization,
		['c'] = try_credential, ['u'] = try_users,
	};
	char *text;

	if (!size || !readers[*data])
		return;
	text = fuzz_text(data + 1, size - 1);
	readers[*data](text);
	free(text);
}

#endif
