/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join as a table: a line for each listening port, with what the filter did with its SYNs each second, and what
 * became of those that it passed. Columns: the port, rates, the share of handshakes that completed, gauges, totals;
 * each group in the order of PORT_COUNTERS; and, where HTTP is counted, requests and the share of errors.
 */
#ifndef SYNWARDEN_TOP_PORT_TABLE_H
#define SYNWARDEN_TOP_PORT_TABLE_H

#include "top/canvas.h"
#include "top/rates.h"

#define PORT_TABLE_SORT 1 /* the column that it is sorted by at first: SYN/S */

struct port_row;

struct port_table {
	struct port_row *rows;
	size_t count;
	unsigned sort; /* by which column; 0: the port */
	bool http;     /* with the columns of HTTP, for which two others give way on a narrow canvas */
};

/* How many there are, with or without those of HTTP, which come last. */
unsigned port_table__columns(bool http);
const char *port_table__heading(unsigned column);
/* What the column shows, in a line. */
const char *port_table__help(unsigned column);

/* Ports that have a listener or got SYNs, sorted. -1 after a message. */
int port_table__make(struct port_table *table, const struct rates *rates, unsigned sort);
/* Draws the heading, then the lines from number `first` on; `rows` in all. */
void port_table__draw(const struct port_table *table, struct canvas *canvas, int row, int rows, size_t first);
void port_table__free(struct port_table *table);

#endif
