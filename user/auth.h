/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may use the HTTP endpoint: basic authentication (RFC 7617) against a file of users and hashed passwords.
 */
#ifndef SYNWARDEN_AUTH_H
#define SYNWARDEN_AUTH_H

struct auth;

enum auth_answer {
	AUTH_GRANTED,
	AUTH_REFUSED,
	AUTH_LATER, /* a wrong password came a moment ago; this one was not looked at */
};

/*
 * Reads the file: a line "USER:HASH" each, the hash by crypt(3) as yescrypt ($y$) or SHA-512 ($6$); empty lines and
 * those that begin with # say nothing. -1 after a message.
 */
int auth__open(struct auth **auth, const char *path);
/*
 * Judges the value of an Authorization header; NULL: there is none. A password costs its hash once; from then on it is
 * recognised at once. Of wrong ones only a few a second are looked at, so that guessing neither succeeds nor takes the
 * time of others.
 */
enum auth_answer auth__check(struct auth *auth, const char *authorization);
/* Accepts NULL. */
void auth__close(struct auth *auth);

#endif
