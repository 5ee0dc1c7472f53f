/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a URL says: scheme, host and port.
 */
#ifndef SYNWARDEN_FETCH_PLACE_H
#define SYNWARDEN_FETCH_PLACE_H

#include "fetch/page.h"

/* "example.org" is http://example.org/. 0, or -1 with *why set to what is wrong. */
int place__parse(const char *url, struct place *place, const char **why);
void place__free(struct place *place);

#endif
