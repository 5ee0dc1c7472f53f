/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers of a request that are ours to read. Input: a letter, and the header's value: 't' Accept, 'g' Accept-Encoding,
 * 'c' USER:PASSWORD, 'h' Host, 'u' the file of users. Only the right password is let in, and only names of this host
 * are taken for it; what is wished for depends neither on letters' case nor on the order of wishes.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_HEADERS_H
#define SYNWARDEN_TESTS_FUZZ_HEADERS_H

#include <crypt.h>
#include <ctype.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "server/auth.h"
#include "fuzz.h"
#include "server/host.h"
#include "server/negotiate.h"

#define USERS_FD   97
#define USERS_PATH "/proc/self/fd/97"
#define USER	   "ann"
#define PASSWORD   "se:cret"

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
		unsigned wish = negotiate__quality(text, types[i]);

		PROPERTY(wish <= 1000, "\"%s\": %u", text, wish);
		PROPERTY(negotiate__quality(upper, types[i]) == wish, "\"%s\": %u, and not in upper case", text, wish);
		if (!strchr(text, '"'))
			PROPERTY(negotiate__quality(turned, types[i]) == wish, "\"%s\": %u, but not turned round", text,
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
	PROPERTY(!wish || strcasestr(text, "gzip"), "\"%s\" wishes for gzip", text);
	if (asprintf(&longer, "%s,gzip;q=0", text) < 0)
		abort();
	if (!strchr(text, '"'))
		PROPERTY(!negotiate__gzip(longer), "\"%s\" wishes for gzip", longer);
	free(longer);
	free(upper);
}

static void try_credential(const char *text)
{
	static const struct origin from = {.uid = 1};
	char *user = strdup(text), *password = strchr(user, ':');
	struct auth *auth = new_user();
	enum auth_answer answer;

	if (password)
		*password++ = '\0';
	answer = auth__check(auth, &from, user, password);
	PROPERTY((answer == AUTH_GRANTED) == !strcmp(text, USER ":" PASSWORD), "\"%s\": %d", text, answer);
	auth__close(auth);
	free(user);
}

static void try_users(const char *text)
{
	static const struct origin from;
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
	PROPERTY(!auth || auth__check(auth, &from, NULL, NULL) == AUTH_REFUSED, "nobody is let in");
	free(said.text);
	auth__close(auth);
}

static bool is_named(const char *text, size_t len)
{
	char own[256] = "";

	gethostname(own, sizeof(own) - 1);
	return (len == strlen("localhost") && !strncasecmp(text, "localhost", len)) ||
	       (len == strlen("one.example") && !strncasecmp(text, "one.example", len)) ||
	       (len == strlen("two.example") && !strncasecmp(text, "two.example", len)) ||
	       (len == strlen(own) && !strncasecmp(text, own, len));
}

/* What is taken for this host's, and is no name that it is known by, is an address. */
static void try_host(const char *text)
{
	size_t len = strcspn(text, ":"), dots = len && text[len - 1] == '.';

	if (!host__is_ours(text, "one.example,two.example") || *text == '[')
		return;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789.", text[i])) {
			PROPERTY(is_named(text, len - dots), "\"%s\" is taken for this host", text);
			return;
		}
}

static void fuzz_headers(const uint8_t *data, size_t size)
{
	static void (*const readers[256])(const char *text) = {
		['t'] = try_accept, ['g'] = try_encoding, ['c'] = try_credential, ['h'] = try_host, ['u'] = try_users,
	};
	char *text;

	if (!size || !readers[*data])
		return;
	text = fuzz_text(data + 1, size - 1);
	readers[*data](text);
	free(text);
}

#endif
