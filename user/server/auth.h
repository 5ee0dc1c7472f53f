/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The users of the HTTP endpoint: a file of names and hashed passwords, as basic authentication (RFC 7617) has them.
 */
#ifndef SYNWARDEN_SERVER_AUTH_H
#define SYNWARDEN_SERVER_AUTH_H

#include "server/origin.h"

struct auth;

enum auth_answer {
	AUTH_GRANTED,
	AUTH_REFUSED,
	AUTH_LATER, /* too many wrong ones lately; this one was not looked at */
};

/*
 * Reads the file: a line "USER:HASH" each, the hash by crypt(3) as yescrypt ($y$) or SHA-512 ($6$); empty lines and
 * those that begin with # say nothing. -1 after a message.
 */
int auth__open(struct auth **auth, const char *path);
/*
 * Judges a user and a password, both NULL where the request names none. A password costs its hash once; from then on it
 * is recognised at once. Of one origin's wrong ones five a second are looked at, and ten of all origins together:
 * guessing neither succeeds nor takes the time of others. An origin that has not failed lately comes first.
 */
enum auth_answer auth__check(struct auth *auth, const struct origin *from, const char *user, const char *password);
/* Accepts NULL. */
void auth__close(struct auth *auth);

#endif
