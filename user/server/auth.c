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
#include <sys/random.h>

#include "server/auth.h"
#include "server/secrets.h"
#include "system/clock.h"
#include "text/log.h"

#define MAX_USERS      64
#define MAX_FAILURES   64
#define WRONG_EVERY_NS 200000000ULL /* of one origin */
#define PACE_NS	       100000000ULL /* of all that fail */
#define AHEAD_NS       500000000ULL /* by which an origin without failures may be ahead of that pace */
#define FORGET_NS      (10 * NS_PER_S)
#define DIGEST	       32 /* bytes of SHA-256 */

struct user {
	const char *name, *hash;
	bool known; /* `digest` is of the right password */
	uint8_t digest[DIGEST];
};

/* An origin whose last password was wrong. */
struct failure {
	struct origin from;
	uint64_t next_ns; /* from which on another one of its passwords is looked at; 0: the entry is free */
};

struct auth {
	char *text; /* of the file; names and hashes point into it */
	struct user users[MAX_USERS];
	size_t count;
	uint8_t key[DIGEST];
	uint64_t paced_ns; /* CLOCK_MONOTONIC from which on another password is looked at; so is all below */
	struct failure failures[MAX_FAILURES];
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
	log_error("--auth-file: \"%s\" names no user; a line is USER:HASH", path);
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

/* NULL where it has not failed for a while. */
static struct failure *failure_of(struct auth *auth, const struct origin *from, uint64_t now)
{
	for (size_t i = 0; i < MAX_FAILURES; i++) {
		struct failure *failure = &auth->failures[i];

		if (failure->next_ns + FORGET_NS > now && origin__same(&failure->from, from))
			return failure;
	}
	return NULL;
}

/* In the place of the one that failed the longest ago, where it has none. */
static void note_failure(struct auth *auth, struct failure *failure, const struct origin *from, uint64_t now)
{
	if (!failure) {
		failure = auth->failures;
		for (size_t i = 1; i < MAX_FAILURES; i++)
			if (auth->failures[i].next_ns < failure->next_ns)
				failure = &auth->failures[i];
	}
	*failure = (struct failure){*from, now + WRONG_EVERY_NS};
	auth->paced_ns = (auth->paced_ns > now ? auth->paced_ns : now) + PACE_NS;
}

static bool may_try(const struct auth *auth, const struct failure *failure, uint64_t now)
{
	return failure ? now >= failure->next_ns && now >= auth->paced_ns : now + AHEAD_NS >= auth->paced_ns;
}

static enum auth_answer try_hash(struct auth *auth, const struct origin *from, struct user *user, const char *password,
				 const uint8_t digest[DIGEST])
{
	uint64_t now = clock__now();
	struct failure *failure = failure_of(auth, from, now);

	if (!may_try(auth, failure, now))
		return AUTH_LATER;
	if (!matches(password, user ? user->hash : auth->users[0].hash) || !user) {
		note_failure(auth, failure, from, clock__now());
		return AUTH_REFUSED;
	}
	memcpy(user->digest, digest, DIGEST);
	user->known = true;
	return AUTH_GRANTED;
}

enum auth_answer auth__check(struct auth *auth, const struct origin *from, const char *name, const char *password)
{
	struct user *user = name ? find(auth, name) : NULL;
	uint8_t digest[DIGEST];

	if (!name || !password ||
	    gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key), password, strlen(password), digest) < 0)
		return AUTH_REFUSED;
	if (user && user->known && !gnutls_memcmp(user->digest, digest, sizeof(digest)))
		return AUTH_GRANTED;
	return try_hash(auth, from, user, password, digest);
}

void auth__close(struct auth *auth)
{
	if (!auth)
		return;
	secrets__free(auth->text);
	explicit_bzero(auth, sizeof(*auth));
	free(auth);
}
