/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of the port table: what each shows, and which a width has room for. In display order: the port and who
 * listens; SYN/s, their course and their share of the budget; further rates; the share of handshakes that completed;
 * gauges; totals; and, where HTTP is counted, requests and the share of errors.
 */
#ifndef SYNWARDEN_TOP_PORT_COLUMNS_H
#define SYNWARDEN_TOP_PORT_COLUMNS_H

#include "top/facts.h"
#include "top/rates.h"

#define COLUMNS_MAX   (PORT_COUNTER_MAX + 8)
#define COLUMN_TEXT   PRINT_NUMBER_LEN
#define COLUMN_SYNS   "SYN/S" /* that the ports are sorted by at first */
#define COLUMN_COURSE "COURSE"

/* How many there are, with or without those of HTTP, which come last. */
unsigned column__count(bool http);
const char *column__heading(unsigned column);
/* What the column shows, in a line. */
const char *column__help(unsigned column);
/* The column with this heading. */
unsigned column__find(const char *heading);
/* Whether it has numbers, of which the largest is the most important. */
bool column__largest_first(unsigned column);
/* Whether it is the port, or who listens: a text, on the left. */
bool column__is_text(unsigned column);

struct column_source {
	const struct rates *rates;
	const struct facts *facts; /* NULL: none are known */
};

/* What the column is sorted by; RATE_UNKNOWN: unknown. `then`: the port in the earlier snapshot. */
double column__value(unsigned column, const struct column_source *source, const struct port_view *then,
		     const struct port_view *now);
/* What the column shows. */
void column__text(char buf[COLUMN_TEXT], unsigned column, const struct column_source *source,
		  const struct port_view *now, double value);

/* Columns on a canvas, from left to right; each cell is `width` wide, with a blank before it but the first. */
struct column_layout {
	unsigned count;
	struct {
		unsigned column;
		int from, width;
	} cells[COLUMNS_MAX];
};

/* Those that matter most, and the one that is sorted by, as far as they fit; the course gets what is left. */
void column__lay_out(struct column_layout *layout, bool http, unsigned sort, int width);

#endif
