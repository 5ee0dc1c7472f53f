// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page of one port. Sentences first, then its course, then two columns: counters, and sockets by state.
 * It is drawn on a canvas of its own, of which the terminal has a part.
 */
#include <stdio.h>
#include <string.h>

#include "output/port_counters.h"
#include "output/protection.h"
#include "output/sentence.h"
#include "text/address.h"
#include "text/names.h"
#include "text/print.h"
#include "top/events_panel.h"
#include "top/port_page.h"

#define TEXT_ROWS      4 /* of a sentence at most */
#define TEXT_LEN       1024
#define SERVED_LEN     (FACTS_ADDRESSES * (PRINT_ADDR_LEN + 2) + 32)
#define PAGE_ROWS      256 /* at least; of many events, the oldest have no place */
#define CHART_MOST     8
#define COUNTERS_WIDTH 38
#define NAME_WIDTH     22
#define NUMBER_WIDTH   7
#define GAP	       2
#define HERE	       "synwarden top" /* no fix where the reader is there */

struct page {
	const struct view *view;
	const struct port_view *then, *now;
	struct canvas *canvas;
	int row, end;
	int shown; /* rows of the terminal */
};

static void put_text(struct page *page, enum canvas_style style, const char *text)
{
	int left = page->end - page->row;

	page->row += canvas__wrap(page->canvas, page->row, left < TEXT_ROWS ? left : TEXT_ROWS, style, text);
}

static void draw_title(struct page *page)
{
	const struct facts *facts = page->view->facts;
	const struct backlog *holder = facts ? facts__holder(facts, page->now->port) : NULL;
	char name[COLUMN_TEXT];
	int column;

	if (page->row >= page->end)
		return;
	canvas__blank(page->canvas, page->row, CANVAS_HEADING);
	column = canvas__put(page->canvas, page->row, 0, CANVAS_HEADING, "PORT %s", port_table__name(name, page->now));
	if (!page->now->listening && page->now->port)
		canvas__put(page->canvas, page->row, column, CANVAS_HEADING, "  no listener any more");
	else if (holder)
		canvas__put(page->canvas, page->row, column, CANVAS_HEADING, "  %s (pid %u)", holder->comm,
			    holder->pid);
	else if (page->now->port)
		canvas__put(page->canvas, page->row, column, CANVAS_HEADING, "  its process is not known");
	page->row++;
}

static enum canvas_style severity_style(enum severity severity)
{
	return severity == SEVERITY_FINE ? CANVAS_GOOD : severity == SEVERITY_WARNING ? CANVAS_WARN : CANVAS_BAD;
}

/* The state of protection, its fix, and the evidence while it is armed. */
static void draw_state(struct page *page)
{
	const struct snapshot *snapshot = page->view->rates.now;
	char text[TEXT_LEN], fix[PROTECTION_TEXT_LEN], sentence[SENTENCE_LEN];
	size_t at = page->now - snapshot->ports;
	struct protection protection;
	enum protection_row row;

	protection__judge(&protection, snapshot, page->view->run == VIEW_ALIVE);
	row = protection.ports[at];
	if (row < PROTECTION_ROW_MAX) {
		put_text(page, severity_style(protection__severity(row)),
			 protection__sentence(text, &protection, row, at));
		if (protection__fix(fix, &protection, row, at) && strcmp(fix, HERE)) {
			snprintf(text, sizeof(text), "fix: %s", fix);
			put_text(page, CANVAS_BOLD, text);
		}
	}
	if (page->now->armed && page->view->run != VIEW_GONE)
		put_text(page, port_table__style(page->now), sentence__attack(sentence, page->now));
}

static void draw_budget(struct page *page)
{
	double rate = rates__of(&page->view->rates, page->then->syns, page->now->syns);
	char text[TEXT_LEN], budget[PRINT_NUMBER_LEN], now[PRINT_NUMBER_LEN];

	if (page->now->budget)
		snprintf(text, sizeof(text), "budget%s: %s SYN/s, then %s; now %s SYN/s",
			 page->now->own_rule ? " of its own" : "", print_count(budget, page->now->budget),
			 page->now->challenge ? "challenge" : "drop", rates__text(now, rate));
	else
		snprintf(text, sizeof(text), "no budget: all its SYNs pass; now %s SYN/s", rates__text(now, rate));
	if (page->now->budget && rate >= 0)
		print_append(text, sizeof(text), ", %.0f %% of it", rate * 100 / page->now->budget);
	if (page->now->recent.usual_millis)
		print_append(text, sizeof(text), "; %.1f clients/s connect as a rule",
			     page->now->recent.usual_millis / 1000.0);
	put_text(page, CANVAS_PLAIN, text);
}

static bool is_any(const struct addr *addr)
{
	return !(addr->halves[0] | addr->halves[1]);
}

/* The served address was there before: both tables may have it. */
static bool is_repeated(const struct facts *facts, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!memcmp(&facts->served[i], &facts->served[at], sizeof(facts->served[at])))
			return true;
	return false;
}

/* Appends as many as have a place. The last one that is known stands for those that are not. */
static void append_served(char text[SERVED_LEN], const struct page *page)
{
	static const char more[] = " and more";
	const struct facts *facts = page->view->facts;
	char addr[PRINT_ADDR_LEN];
	bool first = true;

	for (size_t i = 0; i < facts->served_count; i++) {
		size_t len = strlen(text);

		if (is_repeated(facts, i))
			continue;
		print_append(text, SERVED_LEN, "%s%s%s", first ? "" : ", ",
			     is_any(&facts->served[i]) ? "every address (protect)"
						       : print_addr(addr, &facts->served[i]),
			     more);
		if (i == FACTS_ADDRESSES - 1 || canvas__rows_of(page->canvas, text) > TEXT_ROWS) {
			text[len] = '\0';
			print_append(text, SERVED_LEN, "%s", more);
			return;
		}
		text[strlen(text) - strlen(more)] = '\0';
		first = false;
	}
}

/* "served at 192.0.2.1, 2001:db8::1"; what is not served is not challenged. */
static void draw_served(struct page *page)
{
	const struct facts *facts = page->view->facts;
	char text[SERVED_LEN] = "served at ";

	if (!page->now->port)
		return;
	if (facts && facts->served_count) {
		append_served(text, page);
		put_text(page, CANVAS_PLAIN, text);
	} else {
		put_text(page, CANVAS_WARN, "served at no address that is known: a flood to it would pass");
	}
}

static void draw_queues(struct page *page)
{
	char text[TEXT_LEN], half[PRINT_NUMBER_LEN], queue[PRINT_NUMBER_LEN], limit[PRINT_NUMBER_LEN];
	const struct port_view *now = page->now;

	snprintf(text, sizeof(text), "half-open connections: %s; accept queue: %s of %s%s",
		 print_count(half, now->half_open), print_count(queue, now->accept_queue),
		 print_count(limit, now->accept_limit), now->accept_full ? ", full" : "");
	if (now->listening)
		put_text(page, now->accept_full ? CANVAS_BAD : CANVAS_PLAIN, text);
}

static void draw_course(struct page *page)
{
	int rows = (page->shown - page->row) / 4, columns = page->canvas->columns;
	char full[PRINT_NUMBER_LEN];

	if (rows > CHART_MOST)
		rows = CHART_MOST;
	if (columns > COURSE_LOOKS)
		columns = COURSE_LOOKS;
	if (rows < 1 || !page->view->course)
		return;
	canvas__put(page->canvas, page->row, 0, CANVAS_BOLD, "SYN/S, the newest on the right; as high as the chart: %s",
		    print_short(full, course__full(page->view->course, page->now, columns)));
	course__draw(page->view->course, page->now, page->canvas, page->row + rows, rows,
		     page->canvas->columns - columns, columns, CANVAS_GOOD);
	page->row += rows + 1;
}

/* A row of counters, if there is anything in it; those of reasons stand below what they are a part of. */
static void put_counter(const struct page *page, int *row, const char *name, uint64_t was, uint64_t is)
{
	char rate[PRINT_NUMBER_LEN], total[PRINT_NUMBER_LEN];

	if (!is || *row >= page->end)
		return;
	canvas__put(page->canvas, (*row)++, 0, CANVAS_PLAIN, "%-*s %*s %*s", NAME_WIDTH, name, NUMBER_WIDTH,
		    rates__text(rate, rates__of(&page->view->rates, was, is)), NUMBER_WIDTH, print_short(total, is));
}

/* Returns the row behind them. */
static int draw_counters(const struct page *page)
{
	int row = page->row;

	if (row < page->end)
		canvas__put(page->canvas, row++, 0, CANVAS_HEADING, "%-*s %*s %*s", NAME_WIDTH, "COUNTER, OR REASON",
			    NUMBER_WIDTH, "/S", NUMBER_WIDTH, "TOTAL");
	for (unsigned i = 0; i < PORT_COUNTER_MAX; i++) {
		if (port_counters[i].gauge)
			continue;
		put_counter(page, &row, port_counters[i].name, port_counter__of(page->then, i),
			    port_counter__of(page->now, i));
		if (i != PORT_dropped)
			continue;
		put_counter(page, &row, "  source_limit", page->then->limited, page->now->limited);
		put_counter(page, &row, "  port_budget", page->then->over_budget, page->now->over_budget);
	}
	return row;
}

/* The port's own sockets. Returns the row behind them. */
static int draw_sockets(const struct page *page, int column)
{
	const struct facts *facts = page->view->facts;
	char number[PRINT_NUMBER_LEN];
	int row = page->row;

	if (row < page->end)
		canvas__put(page->canvas, row++, column, CANVAS_HEADING, "%-12s %*s", "STATE", NUMBER_WIDTH, "NOW");
	if (!facts || !facts->states_known) {
		if (row < page->end)
			canvas__put(page->canvas, row++, column, CANVAS_PLAIN, "unknown");
		return row;
	}
	for (unsigned state = 1; state < STATE_MAX && row < page->end; state++)
		if (facts->states[state])
			canvas__put(page->canvas, row++, column, CANVAS_PLAIN, "%-12s %*s", print_state(state),
				    NUMBER_WIDTH, print_short(number, facts->states[state]));
	return row;
}

static const struct port_view *find_port(const struct snapshot *now, uint16_t port)
{
	for (size_t i = 0; i < now->port_count; i++)
		if (now->ports[i].port == port)
			return &now->ports[i];
	return NULL;
}

static void draw(struct page *page)
{
	int counters, sockets;
	size_t at = 0;

	page->then = port_table__before(page->view->rates.before, page->now->port, &at);
	draw_title(page);
	draw_state(page);
	if (page->view->run != VIEW_GONE) {
		draw_budget(page);
		draw_served(page);
	}
	draw_queues(page);
	draw_course(page);
	counters = draw_counters(page);
	sockets = draw_sockets(page, COUNTERS_WIDTH + GAP);
	page->row = counters > sockets ? counters : sockets;
	if (page->view->open) /* the events of no port have 0, too */
		events_panel__draw(page->view->facts, page->view->open, page->canvas, page->row, page->end - page->row);
}

/* Rows of the canvas up to the last one that is not empty. */
static int length(const struct canvas *canvas)
{
	int rows = canvas->rows;

	while (rows > 0 && !canvas__row(canvas, rows - 1)[strspn(canvas__row(canvas, rows - 1), " ")])
		rows--;
	return rows;
}

size_t port_page__draw(const struct view *view, struct canvas *canvas, int row, int rows)
{
	int height = rows > PAGE_ROWS ? rows : PAGE_ROWS, most, i;
	struct canvas whole = {};
	struct page page = {.view = view, .canvas = &whole, .end = height, .shown = rows};
	size_t line = view->line;

	page.now = find_port(view->rates.now, view->open);
	if (!page.now) {
		if (rows > 0)
			canvas__put(canvas, row, 0, CANVAS_WARN, "port %u is not counted any more; Esc goes back",
				    view->open);
		return 0;
	}
	if (canvas__clear(&whole, height, canvas->columns))
		return line;
	draw(&page);
	most = length(&whole) - rows;
	if (line > (size_t)(most > 0 ? most : 0))
		line = most > 0 ? most : 0;
	for (i = 0; i < rows; i++)
		canvas__copy(canvas, row + i, &whole, (int)line + i);
	canvas__free(&whole);
	return line;
}
