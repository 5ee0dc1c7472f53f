/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client asks for by Accept and Accept-Encoding (RFC 9110, 12.5). Only what it names counts: one page has two
 * types, and all have two codings, so ranges ("*") and the parameters of types decide nothing here.
 */
#ifndef SYNWARDEN_SERVER_NEGOTIATE_H
#define SYNWARDEN_SERVER_NEGOTIATE_H

#include <stdbool.h>

/*
 * The quality that a list ("a/b;q=0.5, c/d"; NULL: there is no such header) gives to `word` up to its first ';', in
 * thousandths: 0 (not named, or refused) to 1000. The best of several, unless one of them refuses.
 */
unsigned negotiate__quality(const char *list, const char *word);

/* Whether a client that says `accept_encoding` names gzip, and likes it at least as much as no coding. */
bool negotiate__gzip(const char *accept_encoding);

#endif
