/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smaller tables: states of sockets, and what was counted by verdict, by source, by ending, by segment.
 */
#ifndef SYNWARDEN_PANELS_H
#define SYNWARDEN_PANELS_H

#include "page.h"
#include "rates.h"

#define STATES_WIDTH 36
#define STATES_ROWS  13 /* with the heading */
#define PANEL_WIDTH  40

/* The states that matter most stand first: those that do not fit are the last ones. */
void panels__states(const struct rates *rates, struct page *page, int row, int column, int rows);

/* The others, from a column to the edge of the page: below each other, or beside each other where there is room. Each
 * shows first what happens most. */
void panels__counters(const struct rates *rates, struct page *page, int row, int column, int rows);

#endif
