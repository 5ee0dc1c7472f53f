/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the connection: who closes first, and whether the other side follows.
 */
#ifndef SYNWARDEN_FETCH_FINISH_H
#define SYNWARDEN_FETCH_FINISH_H

#include "fetch/page.h"

/* Closes page->fd. */
void finish__close(struct page *page);

#endif
