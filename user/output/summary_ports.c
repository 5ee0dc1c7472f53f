// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of listening ports -> two tables, by the rows of PORT_COUNTERS.
 */
#include <stdlib.h>
#include <string.h>

#include "output/port_counters.h"
#include "output/summary_ports.h"
#include "text/colour.h"
#include "text/print.h"

#define PORTS	    10
#define NAME_LEN    8
#define QUEUE_LEN   (2 * PRINT_NUMBER_LEN)
#define WIDTH	    13
#define SHORT_WIDTH 9 /* of the budget, a share, and what is below a million */

/* The rows of one table. */
struct table {
	enum port_counter first, end;
	void (*extra_heading)(FILE *out);
	void (*extra)(FILE *out, const struct port_view *port);
	enum port_counter extra_before; /* where the column that is no counter stands */
};

static int width_of(enum port_counter counter)
{
	return counter == PORT_half_open ? SHORT_WIDTH : WIDTH;
}

static void head_budget(FILE *out)
{
	fprintf(out, "  %*s", SHORT_WIDTH, "BUDGET");
}

static void print_budget(FILE *out, const struct port_view *port)
{
	char budget[PRINT_NUMBER_LEN];

	fprintf(out, "  %*s", SHORT_WIDTH, port->budget ? print_count(budget, port->budget) : "-");
}

static void head_share(FILE *out)
{
	fprintf(out, "  %*s", SHORT_WIDTH, "COMPLETED");
}

static void print_share(FILE *out, const struct port_view *port)
{
	int permille = snapshot__completed(port);
	char share[PRINT_NUMBER_LEN] = "-";

	if (permille >= 0)
		snprintf(share, sizeof(share), "%d.%d %%", permille / 10, permille % 10);
	fprintf(out, "  %*s", SHORT_WIDTH, share);
}

/* What the filter did with the SYNs, and what became of those that it passed. */
static const struct table tables[] = {
	{PORT_syns, PORT_completed, head_budget, print_budget, PORT_syns},
	{PORT_completed, PORT_COUNTER_MAX, head_share, print_share, PORT_aborted},
};

static void print_headings(FILE *out, const struct table *table)
{
	fprintf(out, "\n%s%-6s", print_bold(), "PORT");
	for (enum port_counter i = table->first; i < table->end; i++) {
		if (i == table->extra_before)
			table->extra_heading(out);
		if (*port_counters[i].summary)
			fprintf(out, "  %*s", width_of(i), port_counters[i].summary);
	}
	fprintf(out, "%s\n", print_plain());
}

/* "3/4,096", "! 4,097/4,096" where the queue of a listener is full; "-" without a listener. */
static char *queue_text(char buf[QUEUE_LEN], const struct port_view *port)
{
	char queue[PRINT_NUMBER_LEN], limit[PRINT_NUMBER_LEN];

	if (port->accept_limit)
		snprintf(buf, QUEUE_LEN, "%s%s/%s", port->accept_full ? "! " : "",
			 print_count(queue, port->accept_queue), print_count(limit, port->accept_limit));
	else
		snprintf(buf, QUEUE_LEN, "-");
	return buf;
}

static void print_port(FILE *out, const struct table *table, const struct port_view *port)
{
	char text[QUEUE_LEN], name[NAME_LEN] = "other";

	if (port->port)
		snprintf(name, sizeof(name), "%u", port->port);
	fprintf(out, "%-6s", name);
	for (enum port_counter i = table->first; i < table->end; i++) {
		if (i == table->extra_before)
			table->extra(out, port);
		if (*port_counters[i].summary)
			fprintf(out, "  %*s", width_of(i),
				i == PORT_accept_queue ? queue_text(text, port)
						       : print_count(text, port_counter__of(port, i)));
	}
	fputc('\n', out);
}

static int by_syns(const void *a, const void *b)
{
	const struct port_view *x = *(const struct port_view *const *)a, *y = *(const struct port_view *const *)b;

	return x->syns < y->syns ? 1 : x->syns > y->syns ? -1 : 0;
}

void summary_ports__print(FILE *out, const struct snapshot *s)
{
	const struct port_view **ports = calloc(s->port_count, sizeof(*ports));

	if (!ports)
		return;
	for (size_t i = 0; i < s->port_count; i++)
		ports[i] = &s->ports[i];
	qsort(ports, s->port_count, sizeof(*ports), by_syns);
	for (const struct table *t = tables; ports[0]->syns && t < tables + sizeof(tables) / sizeof(tables[0]); t++) {
		print_headings(out, t);
		for (size_t i = 0; i < s->port_count && i < PORTS && ports[i]->syns; i++)
			print_port(out, t, ports[i]);
	}
	free(ports);
}
