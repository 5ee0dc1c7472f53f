/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a request's Host header names this server. A page of another site whose name was made to resolve to this
 * address (DNS rebinding) has a browser send that site's name.
 */
#ifndef SYNWARDEN_SERVER_HOST_H
#define SYNWARDEN_SERVER_HOST_H

#include <stdbool.h>

/*
 * `host` is the header's value ("NAME", "NAME:PORT", "[ADDR]:PORT"); NULL: there is none, as in HTTP/1.0, which no
 * browser speaks. True for an IP address, localhost, this host's name, and `names` ("a.example,b.example"; NULL: none).
 */
bool host__is_ours(const char *host, const char *names);

#endif
