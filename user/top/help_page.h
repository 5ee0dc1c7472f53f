/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the words on the screen mean, from the tables that the manual page is made of.
 */
#ifndef SYNWARDEN_TOP_HELP_PAGE_H
#define SYNWARDEN_TOP_HELP_PAGE_H

#include "top/canvas.h"

/* From this line on, two columns of them where there is room. Returns the line, bounded by the last one. */
size_t help_page__draw(struct canvas *canvas, int row, int rows, size_t first);

#endif
