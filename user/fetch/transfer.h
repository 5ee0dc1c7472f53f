/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS, request, first byte and document, by libcurl on a socket that is connected.
 */
#ifndef SYNWARDEN_FETCH_TRANSFER_H
#define SYNWARDEN_FETCH_TRANSFER_H

#include "fetch/page.h"

/* Over page->fd, which stays open. -1 where it failed: page->failed says why. */
int transfer__run(struct page *page);

#endif
