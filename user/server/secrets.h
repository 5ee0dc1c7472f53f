/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small files that must not be readable for every user: keys, and hashes of passwords.
 */
#ifndef SYNWARDEN_SERVER_SECRETS_H
#define SYNWARDEN_SERVER_SECRETS_H

#include <stdbool.h>

/*
 * The whole file that `option` ("--tls-key") names, terminated; for secrets__free(). One that is `secret` is refused
 * where others than its owner and group may read or write it. NULL after a message.
 */
char *secrets__read(const char *option, const char *path, bool secret);
/* Leaves nothing of it in memory. Accepts NULL. */
void secrets__free(char *text);

#endif
