// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of `synwarden top`, from the top: who filters, and where; what is over its budget; listening ports; states
 * beside the counters; what was lost; keys. Where there is little room the ports keep some lines, then the states.
 */
#include <stdlib.h>
#include <string.h>

#include "attack.h"
#include "panels.h"
#include "port_table.h"
#include "summary.h"
#include "view.h"

#define FOOTER	      2
#define LEAST_PORTS   4 /* rows, with the heading */
#define SETUP_ROWS    2
#define SENTENCE_ROWS 2	 /* a sentence has at 80 columns */
#define TALL	      32 /* from so many rows on several ports have their sentence */
#define TALL_ALARMS   3
#define GAP	      2

static int draw_run(const struct view *view, struct page *page, int row)
{
	const struct meta *meta = &view->rates.now->meta;
	char since[PRINT_TIME_LEN], age[PRINT_NUMBER_LEN];

	switch (view->run) {
	case VIEW_ALIVE:
		print_duration(age, view->realtime_ns > meta->since_ns ? view->realtime_ns - meta->since_ns : 0);
		page__put(page, row, 0, PAGE_GOOD, "synwarden is at work (pid %u), counting since %.19sZ (%s)",
			  meta->pid, print_time(since, meta->since_ns), age);
		return 1;
	case VIEW_LEFT:
		return page__wrap(page, row, 2, PAGE_WARN,
				  "! no run is alive: the filter works on, sockets are as last counted; synwarden "
				  "detach removes it");
	default:
		return page__wrap(page, row, 2, PAGE_WARN,
				  "! the run has ended, and its filter is removed: this is what it counted last; a new "
				  "run will be shown");
	}
}

/* What is cut off on a narrow page, where there are many, is the last interfaces. */
static int draw_setup(const struct view *view, struct page *page, int row)
{
	const struct meta *meta = &view->rates.now->meta;
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	size_t i;

	if (!out)
		return 0;
	if (meta->dry_run)
		fprintf(out, "dry run: everything passes; ");
	if (meta->port_budget)
		fprintf(out, "port budget %u SYN/s (then %s), ", meta->port_budget,
			meta->challenge ? "challenge" : "drop");
	if (meta->source_limit)
		fprintf(out, "source limit %u SYN/s, ", meta->source_limit);
	for (i = 0; i < meta->interfaces && i < META_INTERFACES; i++)
		fprintf(out, "%s%.16s (%s)", i ? ", " : "on ", meta->interface[i].name, summary__xdp_mode(meta, i));
	fclose(out);
	return page__wrap(page, row, SETUP_ROWS, meta->dry_run ? PAGE_WARN : PAGE_PLAIN, text);
}

static bool is_worse(const struct port_view *a, const struct port_view *b)
{
	if (a->attack.under_attack != b->attack.under_attack)
		return a->attack.under_attack;
	return a->attack.syn_rate > b->attack.syn_rate;
}

/* The worst armed ports first; returns how many are armed. */
static size_t find_alarms(const struct snapshot *now, const struct port_view *worst[], size_t most)
{
	size_t i, at, count = 0;

	for (i = 0; i < now->port_count; i++) {
		const struct port_view *port = &now->ports[i];

		if (!port->armed)
			continue;
		for (at = count < most ? count : most; at > 0 && is_worse(port, worst[at - 1]); at--)
			if (at < most)
				worst[at] = worst[at - 1];
		if (at < most)
			worst[at] = port;
		count++;
	}
	return count;
}

static int draw_alarms(const struct view *view, struct page *page, int row)
{
	size_t most = page->rows < TALL ? 1 : TALL_ALARMS, i;
	const struct port_view *worst[TALL_ALARMS];
	size_t count = find_alarms(view->rates.now, worst, most);
	char text[ATTACK_SENTENCE_LEN + 64];
	int rows = 0;

	if (view->run == VIEW_GONE)
		return 0;
	if (!count) {
		page__put(page, row, 0, PAGE_GOOD, "no port is over its budget");
		return 1;
	}
	for (i = 0; i < count && i < most; i++) {
		attack__sentence(text, worst[i]);
		if (i == most - 1 && count > most)
			snprintf(text + strlen(text), 64, "; %zu more armed", count - most);
		rows += page__wrap(page, row + rows, SENTENCE_ROWS,
				   worst[i]->attack.under_attack ? PAGE_BAD : PAGE_WARN, text);
	}
	return rows;
}

static void draw_losses(const struct view *view, struct page *page, int row)
{
	const struct snapshot *now = view->rates.now;
	int column;

	page__blank(page, row, PAGE_PLAIN);
	column = page__put(page, row, 0, PAGE_PLAIN, "lost:");
	for (unsigned i = 0; i < LOSS_MAX; i++)
		column = page__put(page, row, column, now->losses[i] ? PAGE_BAD : PAGE_PLAIN, " %s %lu", print_loss(i),
				   now->losses[i]);
}

static void draw_keys(const struct view *view, struct page *page, int row, size_t ports)
{
	double seconds = rates__seconds(&view->rates);
	int column;

	page__blank(page, row, PAGE_HEADING);
	column = page__put(page, row, 0, PAGE_HEADING, "%sq quit  p %s  h help  s sort: %s",
			   view->paused ? "PAUSED  " : "", view->paused ? "go on" : "pause",
			   port_table__heading(view->sort));
	if (view->shown < ports)
		column = page__put(page, row, column, PAGE_HEADING, "  ports %zu-%zu of %zu",
				   view->shown ? view->first + 1 : 0, view->first + view->shown, ports);
	if (seconds > 0)
		page__put(page, row, column, PAGE_HEADING, "  rates over %.1f s", seconds);
}

static void draw_help(struct page *page, int row, int rows)
{
	static const char *const lines[] = {
		"q       quit                            up, down, page up, page down, home, end",
		"p space pause, and go on                        scroll the ports",
		"s       sort the ports by the next column",
		"h ?     this help; any key ends it",
		"",
		"/S is per second, over the time said below. What has no /S is as of now, or a",
		"total: of the panels, LDROP and RETX. \"-\": not known, or nothing to divide by.",
		"",
		"PORT   listening port; ! under attack, * armed, - nobody listens any more",
		"SYN/S  SYNs that came = PASS/S passed + CHAL/S challenged + DROP/S dropped",
		"ANSW/S challenges answered by a valid cookie",
		"EST/S  handshakes completed, also those that came not over a filtered interface",
		"SHARE  of handshakes let begin (passed + answered), those completed",
		"HALF   half-open connections (the SYN queue)",
		"QUEUE  accept queue: connections waiting / limit; ! one is full",
		"LDROP  SYNs and last ACKs that the listener dropped",
		"RETX   SYN-ACKs sent again",
		"STATE  sockets now, and transitions into and out of the state",
		"lost   what synwarden could not see or judge; more than 0 is worth a look",
	};

	for (int i = 0; i < rows && i < (int)(sizeof(lines) / sizeof(*lines)); i++)
		page__put(page, row + i, 0, PAGE_PLAIN, "%s", lines[i]);
}

/* Rows for the ports: all, as long as the tables below keep theirs. */
static int rows_for_ports(int rows, size_t ports)
{
	int below = STATES_ROWS + (rows > STATES_ROWS + LEAST_PORTS ? (rows - STATES_ROWS - LEAST_PORTS) / 3 : 0);
	int most = rows - below > LEAST_PORTS ? rows - below : LEAST_PORTS;

	if (most > rows)
		most = rows;
	return ports + 1 < (size_t)most ? (int)ports + 1 : most;
}

static void draw_body(struct view *view, struct page *page, const struct port_table *table, int row, int rows)
{
	int of_ports = rows_for_ports(rows, table->count);

	view->shown = of_ports > 1 ? of_ports - 1 : 0;
	if (view->first > table->count - view->shown)
		view->first = table->count - view->shown;
	port_table__draw(table, page, row, of_ports, view->first);
	row += of_ports;
	rows -= of_ports;
	panels__states(&view->rates, page, row, 0, rows);
	panels__counters(&view->rates, page, row, STATES_WIDTH + GAP, rows);
}

int view__draw(struct view *view, struct page *page)
{
	struct port_table table;
	int end = page->rows - FOOTER, row = draw_run(view, page, 0);

	if (port_table__make(&table, &view->rates, view->sort))
		return -1;
	if (view->help) {
		draw_help(page, row, end - row);
	} else {
		row += draw_setup(view, page, row);
		row += draw_alarms(view, page, row);
		draw_body(view, page, &table, row, end > row ? end - row : 0);
	}
	draw_losses(view, page, end);
	draw_keys(view, page, page->rows - 1, view->help ? 0 : table.count);
	port_table__free(&table);
	return 0;
}
