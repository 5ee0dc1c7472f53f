/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join as a table: a line for each listening port, with what the filter did with its SYNs each second, and what
 * became of those that it let through.
 */
#ifndef SYNWARDEN_PORT_TABLE_H
#define SYNWARDEN_PORT_TABLE_H

#include "page.h"
#include "rates.h"

#define PORT_TABLE_WIDTH 80 /* at least; what a wider page has over is shared out among the columns */
#define PORT_TABLE_SORT	 1  /* the column that it is sorted by at first: SYN/S */

struct port_row;

struct port_table {
	struct port_row *rows;
	size_t count;
	unsigned sort; /* by which column; 0: the port */
};

unsigned port_table__columns(void);
const char *port_table__heading(unsigned column);

/* Ports that are listened on, or that SYNs came to, sorted. -1 after a message. */
int port_table__make(struct port_table *table, const struct rates *rates, unsigned sort);
/* The heading and then the lines from the one numbered `first` on, `rows` in all. */
void port_table__draw(const struct port_table *table, struct page *page, int row, int rows, size_t first);
void port_table__free(struct port_table *table);

#endif
