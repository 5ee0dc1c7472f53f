/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Colour on a terminal, by ANSI sequences. Each is "" where colour is off.
 */
#ifndef SYNWARDEN_TEXT_COLOUR_H
#define SYNWARDEN_TEXT_COLOUR_H

#include <stdio.h>

/* On where `out` is a terminal, NO_COLOR is unset or empty and TERM is not "dumb". */
void print_colour_init(FILE *out);
const char *print_bold(void);
const char *print_dim(void);
const char *print_red(void);
const char *print_green(void);
const char *print_yellow(void);
const char *print_plain(void);

#endif
