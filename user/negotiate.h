/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client asks for: the Accept and Accept-Encoding headers (RFC 9110, 12.5), quality values and all.
 */
#ifndef SYNWARDEN_NEGOTIATE_H
#define SYNWARDEN_NEGOTIATE_H

#include <stdbool.h>

/*
 * How much a client that says `accept` (NULL: no such header) likes a media type, "type/subtype" with or without
 * parameters: 0 (not at all) to 1000. The most specific range that holds decides. A range's `version` must be the
 * type's own where both name one; its other parameters are not looked at.
 */
unsigned negotiate__type(const char *accept, const char *type);

/* Whether a client that says `accept_encoding` (NULL: no such header) wants gzip at least as much as none. */
bool negotiate__gzip(const char *accept_encoding);

#endif
