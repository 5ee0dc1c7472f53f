/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smaller tables: states of sockets, and counts by verdict, source, ending and kind of segment.
 */
#ifndef SYNWARDEN_TOP_PANELS_H
#define SYNWARDEN_TOP_PANELS_H

#include "top/canvas.h"
#include "top/rates.h"

#define STATES_WIDTH 36
#define STATES_ROWS  12 /* with the heading */
#define PANEL_WIDTH  40

/* The states that matter most come first; the last ones are cut off where there is no room. Both return their rows. */
int panels__states(const struct rates *rates, struct canvas *canvas, int row, int column, int rows);

/* The other tables, from a column to the edge of the canvas: below each other, or side by side where there is room.
 * Each is sorted by rate. */
int panels__counters(const struct rates *rates, struct canvas *canvas, int row, int column, int rows);

#endif
