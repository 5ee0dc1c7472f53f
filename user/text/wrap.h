/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text in lines of at most WRAP_COLUMNS.
 */
#ifndef SYNWARDEN_TEXT_WRAP_H
#define SYNWARDEN_TEXT_WRAP_H

#include <stdio.h>

#define WRAP_COLUMNS 80

/* Breaks the text at blanks; `text` has no line breaks of its own. Ends the last line. A longer word stays whole. */
void print_wrapped(FILE *out, const char *text);

#endif
