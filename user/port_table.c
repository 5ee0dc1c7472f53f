// SPDX-License-Identifier: GPL-2.0-only
/*
 * The join as a table. Every column is a number, by which it can be sorted; -1 stands for "unknown".
 */
#include <stdlib.h>

#include "log.h"
#include "port_table.h"

#define MOST_EXTRA 6 /* characters by which a column grows on a wide page */

enum {
	COLUMN_PORT,
	COLUMN_SYN,
	COLUMN_PASS,
	COLUMN_CHALLENGE,
	COLUMN_ANSWER,
	COLUMN_DROP,
	COLUMN_ESTABLISH,
	COLUMN_SHARE,
	COLUMN_HALF_OPEN,
	COLUMN_QUEUE,
	COLUMN_LISTEN_DROPS,
	COLUMN_RETRANSMITS,
	COLUMNS,
};

static const struct column {
	const char *heading;
	int width;
	bool smallest_first;
} columns[COLUMNS] = {
	[COLUMN_PORT] = {"PORT", 6, true},	     [COLUMN_SYN] = {"SYN/S", 5, false},
	[COLUMN_PASS] = {"PASS/S", 6, false},	     [COLUMN_CHALLENGE] = {"CHAL/S", 6, false},
	[COLUMN_ANSWER] = {"ANSW/S", 6, false},	     [COLUMN_DROP] = {"DROP/S", 6, false},
	[COLUMN_ESTABLISH] = {"EST/S", 5, false},    [COLUMN_SHARE] = {"SHARE", 5, true},
	[COLUMN_HALF_OPEN] = {"HALF", 5, false},     [COLUMN_QUEUE] = {"QUEUE", 10, false},
	[COLUMN_LISTEN_DROPS] = {"LDROP", 5, false}, [COLUMN_RETRANSMITS] = {"RETX", 4, false},
};

struct port_row {
	const struct port_view *view;
	double values[COLUMNS];
};

unsigned port_table__columns(void)
{
	return COLUMNS;
}

const char *port_table__heading(unsigned column)
{
	return columns[column].heading;
}

/* Both snapshots have their ports in order; *at goes through those of the earlier one. */
static const struct port_view *find_before(const struct snapshot *before, uint16_t port, size_t *at)
{
	static const struct port_view none;

	while (before && *at < before->port_count && before->ports[*at].port < port)
		++*at;
	return before && *at < before->port_count && before->ports[*at].port == port ? &before->ports[*at] : &none;
}

static double share(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	const struct port_view between = {
		.passed = now->passed - then->passed,
		.challenged = now->challenged - then->challenged,
		.answered = now->answered - then->answered,
		.completed = now->completed - then->completed,
	};

	return rates__seconds(rates) > 0 ? snapshot__completed(&between) : RATE_UNKNOWN;
}

static void fill(struct port_row *row, const struct rates *rates, const struct port_view *then,
		 const struct port_view *now)
{
	*row = (struct port_row){
		now,
		{
			[COLUMN_PORT] = now->port,
			[COLUMN_SYN] = rates__of(rates, then->syns, now->syns),
			[COLUMN_PASS] = rates__of(rates, then->passed, now->passed),
			[COLUMN_CHALLENGE] = rates__of(rates, then->challenged, now->challenged),
			[COLUMN_ANSWER] = rates__of(rates, then->answered, now->answered),
			[COLUMN_DROP] = rates__of(rates, then->dropped, now->dropped),
			[COLUMN_ESTABLISH] = rates__of(rates, then->completed, now->completed),
			[COLUMN_SHARE] = share(rates, then, now),
			[COLUMN_HALF_OPEN] = now->half_open,
			[COLUMN_QUEUE] = now->accept_queue,
			[COLUMN_LISTEN_DROPS] = now->listen_drops,
			[COLUMN_RETRANSMITS] = now->synack_retransmits,
		},
	};
}

/* What is unknown comes last, whichever way it is sorted; equal ones in the order of their ports. */
static int compare(const void *a, const void *b, void *sort)
{
	const struct port_row *x = a, *y = b;
	unsigned column = *(unsigned *)sort;
	double u = x->values[column], v = y->values[column];

	if (u == v)
		return x->view->port - y->view->port;
	if (columns[column].smallest_first && u >= 0 && v >= 0)
		return u < v ? -1 : 1;
	return u > v ? -1 : 1;
}

int port_table__make(struct port_table *table, const struct rates *rates, unsigned sort)
{
	const struct snapshot *now = rates->now;
	size_t i, at = 0;

	*table = (struct port_table){.rows = calloc(now->port_count, sizeof(*table->rows)), .sort = sort};
	if (!table->rows) {
		log_error("no memory for %zu listening ports", now->port_count);
		return -1;
	}
	for (i = 0; i < now->port_count; i++) {
		const struct port_view *view = &now->ports[i];

		if (view->listening || view->syns)
			fill(&table->rows[table->count++], rates, find_before(rates->before, view->port, &at), view);
	}
	qsort_r(table->rows, table->count, sizeof(*table->rows), compare, &sort);
	return 0;
}

/* The evidence is the last that a `run` has written, which may be dead. */
static bool is_under_attack(const struct port_view *view)
{
	return view->armed && view->attack.under_attack;
}

static enum page_style style_of(const struct port_view *view)
{
	return is_under_attack(view) ? PAGE_BAD : view->armed ? PAGE_WARN : PAGE_PLAIN;
}

/* "80!": under attack, "80*": armed, "80-": nobody listens there any more. */
static void port_text(char buf[PRINT_NUMBER_LEN], const struct port_view *view)
{
	char mark = is_under_attack(view) ? '!' : view->armed ? '*' : view->port && !view->listening ? '-' : ' ';

	if (view->port)
		snprintf(buf, PRINT_NUMBER_LEN, "%u%c", view->port, mark);
	else
		snprintf(buf, PRINT_NUMBER_LEN, "other");
}

/* "3/4096", "!4097/4096" where the queue of a listener is full. */
static void queue_text(char buf[PRINT_NUMBER_LEN], const struct port_view *view)
{
	enum { WIDTH = 4 };
	char n[PRINT_NUMBER_LEN], limit[PRINT_NUMBER_LEN];

	if (view->listening)
		snprintf(buf, PRINT_NUMBER_LEN, "%s%.12s/%.12s", view->accept_full ? "!" : "",
			 rates__count(n, view->accept_queue, WIDTH), rates__count(limit, view->accept_limit, WIDTH));
	else
		snprintf(buf, PRINT_NUMBER_LEN, "-");
}

static void cell_text(char buf[PRINT_NUMBER_LEN], const struct port_row *row, unsigned column, int width)
{
	double value = row->values[column];

	if (column == COLUMN_PORT)
		port_text(buf, row->view);
	else if (column == COLUMN_QUEUE)
		queue_text(buf, row->view);
	else if (value < 0)
		snprintf(buf, PRINT_NUMBER_LEN, "-");
	else if (column == COLUMN_SHARE)
		snprintf(buf, PRINT_NUMBER_LEN, value == 1000 ? "%.0f%%" : "%.1f%%", value / 10);
	else if (column < COLUMN_SHARE)
		rates__text(buf, value, width);
	else
		rates__count(buf, value, width);
}

static int extra(const struct page *page)
{
	int each = (page->columns - PORT_TABLE_WIDTH) / (COLUMNS - 1);

	return each < 0 ? 0 : each > MOST_EXTRA ? MOST_EXTRA : each;
}

static void draw_heading(const struct port_table *table, struct page *page, int row)
{
	int column = 0, width, i;

	page__blank(page, row, PAGE_HEADING);
	for (i = 0; i < COLUMNS; i++) {
		width = i ? columns[i].width + extra(page) + 1 : -columns[i].width;
		column = page__put(page, row, column, (unsigned)i == table->sort ? PAGE_BOLD : PAGE_HEADING, "%*s",
				   width, columns[i].heading);
	}
}

static void draw_row(const struct port_row *port, struct page *page, int row)
{
	enum page_style style = style_of(port->view);
	char text[PRINT_NUMBER_LEN];
	int column, i;

	cell_text(text, port, COLUMN_PORT, columns[COLUMN_PORT].width);
	column = page__put(page, row, 0, style, "%-*s", columns[COLUMN_PORT].width, text);
	for (i = 1; i < COLUMNS; i++) {
		int width = columns[i].width + extra(page);

		cell_text(text, port, i, width);
		column = page__put(page, row, column, style, " %*s", width, text);
	}
}

void port_table__draw(const struct port_table *table, struct page *page, int row, int rows, size_t first)
{
	int i;

	if (rows > 0)
		draw_heading(table, page, row);
	for (i = 1; i < rows && first + i - 1 < table->count; i++)
		draw_row(&table->rows[first + i - 1], page, row + i);
}

void port_table__free(struct port_table *table)
{
	free(table->rows);
	*table = (struct port_table){};
}
