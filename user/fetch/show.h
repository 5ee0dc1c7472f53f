/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page as text, step by step as they are done, and as a JSON object.
 */
#ifndef SYNWARDEN_FETCH_SHOW_H
#define SYNWARDEN_FETCH_SHOW_H

#include "fetch/page.h"

/* The steps from `first` to `last` that were done. */
void show__steps(const struct page *page, enum step first, enum step last);

/* The time of all, whose share it was, and where it failed. */
void show__end(const struct page *page);

void show__json(const struct page *page);

/* How many of `width` columns each step takes of a bar; a step that took any time has one at least. */
void show__shares(const struct page *page, unsigned width, unsigned columns[STEP_MAX]);

#endif
