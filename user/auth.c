// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passwords are compared by their hashes, in constant time; an unknown user takes as long as a wrong password. What was
 * right once is kept as an HMAC under a key of this process: yescrypt is made to be slow, and a scraper asks for ever.
 */
#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "auth.h"
#include "clock.h"
#include "log.h"
#include "secrets.h"

#define MAX_USERS      64
#define MAX_CREDENTIAL 512
#define WRONG_EVERY_NS 200000000ULL
#define DIGEST	       32 /* bytes of SHA-256 */

struct user {
	const char *name, *hash;
	bool known; /* `digest` is of the right password */
	uint8_t digest[DIGEST];
};

struct auth {
	char *text; /* of the file; names and hashes point into it */
	struct user users[MAX_USERS];
	size_t count;
	uint8_t key[DIGEST];
	uint64_t next_ns; /* CLOCK_MONOTONIC from which on another password is looked at */
};

/* The salt is checked by crypt(3); the last field is 86 characters of SHA-512, or 43 of yescrypt's 32 bytes. */
static bool is_whole(const char *hash)
{
	return crypt_checksalt(hash) == CRYPT_SALT_OK && strlen(strrchr(hash, '$') + 1) == (hash[1] == '6' ? 86 : 43);
}

static const char *why_not(const struct auth *auth, const char *hash)
{
	if (auth->count == MAX_USERS)
		return "more than 64 users";
	if (!hash)
		return "not USER:HASH";
	if (strncmp(hash, "$y$", 3) && strncmp(hash, "$6$", 3))
		return "the hash is neither yescrypt ($y$) nor SHA-512 ($6$); make one with: mkpasswd, or openssl "
		       "passwd -6";
	if (!is_whole(hash))
		return "the hash is not as crypt(3) makes it";
	return NULL;
}

/* Does not show the line: it may hold a password. */
static int parse(struct auth *auth, const char *path)
{
	char *rest = auth->text, *line, *hash;
	const char *why;
	unsigned number = 0;

	while ((line = strsep(&rest, "\n"))) {
		number++;
		line[strcspn(line, "\r")] = '\0';
		if (!*line || *line == '#')
			continue;
		hash = strchr(line, ':');
		if (hash)
			*hash++ = '\0';
		why = why_not(auth, hash);
		if (why) {
			log_error("--auth-file: \"%s\", line %u: %s", path, number, why);
			return -1;
		}
		auth->users[auth->count++] = (struct user){.name = line, .hash = hash};
	}
	if (auth->count)
		return 0;
	log_error("--auth-file: \"%s\" names nobody; a line is USER:HASH", path);
	return -1;
}

int auth__open(struct auth **auth, const char *path)
{
	struct auth *a = calloc(1, sizeof(*a));

	*auth = NULL;
	if (!a || getrandom(a->key, sizeof(a->key), 0) != sizeof(a->key)) {
		log_error("--auth-file: no memory, or no random numbers");
		goto fail;
	}
	a->text = secrets__read("--auth-file", path, true);
	if (!a->text || parse(a, path))
		goto fail;
	*auth = a;
	return 0;
fail:
	auth__close(a);
	return -1;
}

/* "Basic dXNlcjpwYXNz" -> "user\0pass"; the password, or NULL. */
static char *decode(const char *authorization, char credential[MAX_CREDENTIAL])
{
	gnutls_datum_t encoded, decoded;
	char *colon = NULL;

	if (!authorization || strncasecmp(authorization, "Basic ", 6))
		return NULL;
	authorization += 6;
	authorization += strspn(authorization, " ");
	encoded = (gnutls_datum_t){(unsigned char *)authorization, strlen(authorization)};
	if (gnutls_base64_decode2(&encoded, &decoded) < 0)
		return NULL;
	if (decoded.size < MAX_CREDENTIAL && !memchr(decoded.data, '\0', decoded.size)) {
		memcpy(credential, decoded.data, decoded.size);
		credential[decoded.size] = '\0';
		colon = strchr(credential, ':');
	}
	explicit_bzero(decoded.data, decoded.size);
	gnutls_free(decoded.data);
	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static struct user *find(struct auth *auth, const char *name)
{
	for (size_t i = 0; i < auth->count; i++)
		if (!strcmp(auth->users[i].name, name))
			return &auth->users[i];
	return NULL;
}

static bool matches(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made = data ? crypt_rn(password, hash, data, sizeof(*data)) : NULL;
	bool same = made && strlen(made) == strlen(hash) && !gnutls_memcmp(made, hash, strlen(hash));

	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return same;
}

static enum auth_answer judge(struct auth *auth, struct user *user, const char *password)
{
	uint8_t digest[DIGEST];

	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key), password, strlen(password), digest) < 0)
		return AUTH_REFUSED;
	if (user && user->known && !gnutls_memcmp(user->digest, digest, sizeof(digest)))
		return AUTH_GRANTED;
	if (clock__now() < auth->next_ns)
		return AUTH_LATER;
	if (matches(password, user ? user->hash : auth->users[0].hash) && user) {
		memcpy(user->digest, digest, sizeof(digest));
		user->known = true;
		return AUTH_GRANTED;
	}
	auth->next_ns = clock__now() + WRONG_EVERY_NS;
	return AUTH_REFUSED;
}

enum auth_answer auth__check(struct auth *auth, const char *authorization)
{
	char credential[MAX_CREDENTIAL], *password = decode(authorization, credential);
	enum auth_answer answer = password ? judge(auth, find(auth, credential), password) : AUTH_REFUSED;

	explicit_bzero(credential, sizeof(credential));
	return answer;
}

void auth__close(struct auth *auth)
{
	if (!auth)
		return;
	secrets__free(auth->text);
	explicit_bzero(auth, sizeof(*auth));
	free(auth);
}
