/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connects to the addresses of a name in their order, the next one at once after the one before has failed.
 */
#ifndef SYNWARDEN_FETCH_CONNECT_H
#define SYNWARDEN_FETCH_CONNECT_H

#include "fetch/page.h"

/* Fills page->attempts and sets page->fd. -1 where none answers: page->failed says why. */
int connect__any(struct page *page);

#endif
