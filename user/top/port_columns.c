// SPDX-License-Identifier: GPL-2.0-only
/*
 * A row for each column. Every column is a number, by which the table can be sorted; -1 stands for "unknown".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/http_counters.h"
#include "output/port_counters.h"
#include "text/print.h"
#include "top/port_columns.h"
#include "top/course.h"

#define WHO_MOST   (COMM_LEN - 1)
#define NAME_BYTES 6 /* of a name, as a number to sort by */

/* What a column shows beside the counters of a port, enum port_counter. */
enum {
	SHOWS_PORT = PORT_COUNTER_MAX,
	SHOWS_WHO,
	SHOWS_COURSE,
	SHOWS_BUDGET,
	SHOWS_SHARE,
	SHOWS_REQUESTS,
	SHOWS_ERRORS
};

/* `rank`: the lower, the longer it stays where the canvas gets narrow. Counters have their heading and help in
 * PORT_COUNTERS. */
static const struct column {
	unsigned shows;
	int width, rank;
	const char *heading, *help;
} columns[] = {
	{SHOWS_PORT, 6, 0, "PORT", "listening port; ! under attack, * armed, - no listener any more"},
	{SHOWS_WHO, 8, 10, "WHO", "the process that listens"},
	{PORT_syns, 5, 1, NULL, NULL},
	{SHOWS_COURSE, 8, 6, COLUMN_COURSE,
	 "SYN/S of the last looks, the newest on the right; a full bar is the budget, or the peak if higher"},
	{SHOWS_BUDGET, 6, 7, "BUDGET", "SYN/S in percent of the port's budget"},
	{PORT_passed, 6, 12, NULL, NULL},
	{PORT_challenged, 6, 4, NULL, NULL},
	{PORT_answered, 6, 15, NULL, NULL},
	{PORT_dropped, 6, 5, NULL, NULL},
	{PORT_completed, 5, 3, NULL, NULL},
	{SHOWS_SHARE, 5, 13, "SHARE", "of the SYNs passed, handshakes completed; - while some are challenged"},
	{PORT_half_open, 5, 11, NULL, NULL},
	{PORT_accept_queue, 2 * PRINT_SHORT_WIDTH + 2, 2, NULL, NULL},
	{PORT_listen_drops, 5, 14, NULL, NULL},
	{PORT_synack_retransmits, 5, 16, NULL, NULL},
	{SHOWS_REQUESTS, 5, 8, "REQ/S", "HTTP/1.x requests, answered or not, with --http on"},
	{SHOWS_ERRORS, 5, 9, "5XX", "of these, those that were answered with a status of 5xx"},
};

#define COLUMNS	     (sizeof(columns) / sizeof(*columns))
#define HTTP_COLUMNS 2

_Static_assert(COLUMNS <= COLUMNS_MAX, "a place for each");

unsigned column__count(bool http)
{
	return http ? COLUMNS : COLUMNS - HTTP_COLUMNS;
}

static bool is_counter(const struct column *column)
{
	return column->shows < PORT_COUNTER_MAX;
}

const char *column__heading(unsigned column)
{
	return is_counter(&columns[column]) ? port_counters[columns[column].shows].top : columns[column].heading;
}

const char *column__help(unsigned column)
{
	return is_counter(&columns[column]) ? port_counters[columns[column].shows].help : columns[column].help;
}

unsigned column__find(const char *heading)
{
	unsigned column = 0;

	while (column < COLUMNS - 1 && strcmp(column__heading(column), heading))
		column++;
	return column;
}

bool column__is_text(unsigned column)
{
	return columns[column].shows == SHOWS_PORT || columns[column].shows == SHOWS_WHO;
}

bool column__largest_first(unsigned column)
{
	return !column__is_text(column) && columns[column].shows != SHOWS_SHARE;
}

/* A counter that is shown a second: its heading says so. */
static bool is_rate(unsigned column)
{
	const char *heading = column__heading(column);
	size_t len = strlen(heading);

	return len > 2 && !strcmp(heading + len - 2, "/S");
}

static double share(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	const struct port_view between = {
		.passed = now->passed - then->passed,
		.challenged = now->challenged - then->challenged,
		.completed = now->completed - then->completed,
	};

	return rates__seconds(rates) > 0 ? snapshot__completed(&between) : RATE_UNKNOWN;
}

/* In 1/1000, of the requests between the two. */
static double errors(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	uint64_t before = http_counters__requests(&then->http), requests = http_counters__requests(&now->http);
	uint64_t more = now->http.requests[HTTP_SERVER_ERROR] - then->http.requests[HTTP_SERVER_ERROR];

	return rates__seconds(rates) > 0 && requests > before ? more * 1000.0 / (requests - before) : RATE_UNKNOWN;
}

/* In percent. */
static double of_budget(const struct rates *rates, const struct port_view *then, const struct port_view *now)
{
	double rate = rates__of(rates, then->syns, now->syns);

	return now->budget && rate >= 0 ? rate * 100 / now->budget : RATE_UNKNOWN;
}

/* The first letters, so that names are in order of the alphabet. */
static double name_value(const struct facts *facts, uint16_t port)
{
	const struct backlog *holder = facts ? facts__holder(facts, port) : NULL;
	double value = 0;

	if (!holder)
		return RATE_UNKNOWN;
	for (size_t i = 0, len = strlen(holder->comm); i < NAME_BYTES; i++)
		value = value * 256 + (i < len ? (unsigned char)holder->comm[i] : 0);
	return value;
}

double column__value(unsigned column, const struct column_source *source, const struct port_view *then,
		     const struct port_view *now)
{
	const struct rates *rates = source->rates;
	unsigned shows = columns[column].shows;

	switch (shows) {
	case SHOWS_PORT:
		return now->port;
	case SHOWS_WHO:
		return name_value(source->facts, now->port);
	case SHOWS_COURSE:
		return rates__of(rates, then->syns, now->syns);
	case SHOWS_BUDGET:
		return of_budget(rates, then, now);
	case SHOWS_SHARE:
		return share(rates, then, now);
	case SHOWS_REQUESTS:
		return rates__of(rates, http_counters__requests(&then->http), http_counters__requests(&now->http));
	case SHOWS_ERRORS:
		return errors(rates, then, now);
	default:
		return is_rate(column) ? rates__of(rates, port_counter__of(then, shows), port_counter__of(now, shows))
				       : port_counter__of(now, shows);
	}
}

/* "80!": under attack, "80*": armed, "80-": no listener any more. The evidence is what the last `run` wrote. */
static void port_text(char buf[COLUMN_TEXT], const struct port_view *view)
{
	char mark = view->armed && view->attack.under_attack ? '!'
		    : view->armed			     ? '*'
		    : view->port && !view->listening	     ? '-'
							     : ' ';

	if (view->port)
		snprintf(buf, COLUMN_TEXT, "%u%c", view->port, mark);
	else
		snprintf(buf, COLUMN_TEXT, "other");
}

static void who_text(char buf[COLUMN_TEXT], const struct facts *facts, uint16_t port)
{
	const struct backlog *holder = facts ? facts__holder(facts, port) : NULL;

	snprintf(buf, COLUMN_TEXT, "%s", holder ? holder->comm : "-");
}

/* "3/4,096", "!4,097/4,096" where the queue of a listener is full. */
static void queue_text(char buf[COLUMN_TEXT], const struct port_view *view)
{
	char n[PRINT_NUMBER_LEN], limit[PRINT_NUMBER_LEN];

	if (view->listening)
		snprintf(buf, COLUMN_TEXT, "%s%.5s/%.5s", view->accept_full ? "!" : "",
			 print_short(n, view->accept_queue), print_short(limit, view->accept_limit));
	else
		snprintf(buf, COLUMN_TEXT, "-");
}

static void percent_text(char buf[COLUMN_TEXT], unsigned shows, double value)
{
	char number[PRINT_NUMBER_LEN];

	if (shows == SHOWS_BUDGET)
		snprintf(buf, COLUMN_TEXT, "%.5s%%", rates__text(number, value));
	else
		snprintf(buf, COLUMN_TEXT, value == 1000 ? "%.0f%%" : "%.1f%%", value / 10);
}

void column__text(char buf[COLUMN_TEXT], unsigned column, const struct column_source *source,
		  const struct port_view *now, double value)
{
	unsigned shows = columns[column].shows;

	if (shows == SHOWS_PORT)
		port_text(buf, now);
	else if (shows == SHOWS_WHO)
		who_text(buf, source->facts, now->port);
	else if (shows == SHOWS_COURSE)
		*buf = '\0';
	else if (shows == PORT_accept_queue)
		queue_text(buf, now);
	else if (value < 0)
		snprintf(buf, COLUMN_TEXT, "-");
	else if (shows == SHOWS_BUDGET || shows == SHOWS_SHARE || shows == SHOWS_ERRORS)
		percent_text(buf, shows, value);
	else if (is_rate(column))
		rates__text(buf, value);
	else
		print_short(buf, value);
}

/* The next column by rank that is not chosen yet; COLUMNS: none. */
static unsigned next_by_rank(const bool chosen[COLUMNS], unsigned count, int above)
{
	unsigned best = COLUMNS;

	for (unsigned i = 0; i < count; i++)
		if (!chosen[i] && columns[i].rank > above && (best == COLUMNS || columns[i].rank < columns[best].rank))
			best = i;
	return best;
}

/* Returns the columns of the canvas that are left. */
static int choose(bool chosen[COLUMNS], bool http, unsigned sort, int width)
{
	unsigned count = column__count(http), next;
	int left = width - columns[0].width, rank = -1;

	chosen[0] = true;
	if (sort && sort < count && left >= columns[sort].width + 1) {
		chosen[sort] = true;
		left -= columns[sort].width + 1;
	}
	while ((next = next_by_rank(chosen, count, rank)) < COLUMNS) {
		rank = columns[next].rank;
		if (left < columns[next].width + 1)
			continue;
		chosen[next] = true;
		left -= columns[next].width + 1;
	}
	return left > 0 ? left : 0;
}

/* Of what is left, names get what they may need, then the course takes the rest. */
static int grow(unsigned column, int *left)
{
	int most = columns[column].shows == SHOWS_WHO	   ? WHO_MOST - columns[column].width
		   : columns[column].shows == SHOWS_COURSE ? COURSE_LOOKS - columns[column].width
							   : 0;
	int more = *left < most ? *left : most;

	*left -= more;
	return columns[column].width + more;
}

void column__lay_out(struct column_layout *layout, bool http, unsigned sort, int width)
{
	bool chosen[COLUMNS] = {};
	int left = choose(chosen, http, sort, width), at = 0;

	layout->count = 0;
	for (unsigned i = 0; i < COLUMNS; i++) {
		if (!chosen[i])
			continue;
		layout->cells[layout->count].column = i;
		layout->cells[layout->count].from = at + (i > 0);
		layout->cells[layout->count].width = grow(i, &left);
		at = layout->cells[layout->count].from + layout->cells[layout->count].width;
		layout->count++;
	}
}
