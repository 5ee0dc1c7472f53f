/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The value of one option: set from text, compared, handed over. What differs by enum option_kind is here alone.
 */
#ifndef SYNWARDEN_CONFIG_KINDS_H
#define SYNWARDEN_CONFIG_KINDS_H

#include <stdbool.h>

#include "config/options.h"

/* Sets the row's field of `options`. A text is pointed to, not copied; a flag is "yes" or "no". 0, or -1 with `*why` as
 * in values.h, and nothing set. */
int kinds__set(const struct option_row *row, const char *text, void *options, const char **why);
/* Whether the field points to the text that it was set from, and that text; NULL: none was set. */
bool kinds__is_text(const struct option_row *row);
const char *kinds__text(const struct option_row *row, const void *options);
/* Whether several values of it add up to a list, with commas. */
bool kinds__adds_up(const struct option_row *row);
/* kinds__set() of a text, which is appended to those in `*kept`; the field then points to that. */
int kinds__add(const struct option_row *row, const char *text, void *options, char **kept, const char **why);
bool kinds__is_same(const struct option_row *row, const void *options, const void *others);
void kinds__swap(const struct option_row *row, void *options, void *others);

#endif
