/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one canvas that a test draws on, and what stands there.
 */
#ifndef SYNWARDEN_TESTS_SCREEN_H
#define SYNWARDEN_TESTS_SCREEN_H

#include <stdio.h>
#include <string.h>

#include "top/canvas.h"

static struct canvas canvas;

/* The row without the spaces at its end. */
static inline void check_row(int row, const char *text)
{
	char got[512];
	size_t len;

	snprintf(got, sizeof(got), "%s", canvas__row(&canvas, row));
	for (len = strlen(got); len && got[len - 1] == ' '; len--)
		;
	got[len] = '\0';
	assert_string_equal(got, text);
}

static inline enum canvas_style style_at(int row, int column)
{
	return canvas.style[canvas__row(&canvas, row) - canvas.text + column];
}

#endif
