// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands above and below every page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/sentence.h"
#include "output/summary.h"
#include "output/verdict.h"
#include "text/names.h"
#include "text/print.h"
#include "top/banner.h"

#define SETUP_ROWS    2
#define SENTENCE_ROWS 3	 /* of a sentence at 80 columns, with the ports that it leaves out */
#define SHORT	      16 /* below this many rows, each text has one */
#define TALL	      32 /* from this many rows on, several ports have their sentence */
#define TALL_ALARMS   3
#define ALARMS_KNOWN  7 /* of which some are only named */
#define ALARM_LEN     (SENTENCE_LEN + 128)

/* Of a text that takes `most` where there is room. */
static int rows_for(const struct canvas *canvas, int most)
{
	return canvas->rows < SHORT ? 1 : most;
}

int banner__run(const struct view *view, struct canvas *canvas, int row)
{
	const struct meta *meta = &view->rates.now->meta;
	char since[PRINT_TIME_LEN], age[PRINT_NUMBER_LEN];

	switch (view->run) {
	case VIEW_ALIVE:
		print_duration(age, view->realtime_ns > meta->since_ns ? view->realtime_ns - meta->since_ns : 0);
		canvas__put(canvas, row, 0, CANVAS_GOOD, "synwarden is running (pid %u), counting since %.19sZ (%s)",
			    meta->pid, print_time(since, meta->since_ns), age);
		return 1;
	case VIEW_LEFT:
		return canvas__wrap(canvas, row, rows_for(canvas, 2), CANVAS_WARN,
				    "! no run is alive: its filter is still attached, socket counts are old; synwarden "
				    "detach removes it");
	default:
		return canvas__wrap(canvas, row, rows_for(canvas, 2), CANVAS_WARN,
				    "! the run has ended and removed its filter: these are its last counts; a new run "
				    "will be shown");
	}
}

/* On a narrow canvas, the last of many interfaces are cut off. */
int banner__setup(const struct view *view, struct canvas *canvas, int row)
{
	const struct meta *meta = &view->rates.now->meta;
	char text[1024] = "", number[PRINT_NUMBER_LEN];
	FILE *out = fmemopen(text, sizeof(text), "w");
	size_t i;

	if (!out)
		return 0;
	if (meta->dry_run)
		fprintf(out, "dry run: everything passes; ");
	if (meta->port_budget)
		fprintf(out, "budget %s SYN/s (then %s), ", print_count(number, meta->port_budget),
			meta->challenge == CHALLENGE_AUTO ? "challenge" : "drop");
	if (meta->source_limit)
		fprintf(out, "source limit %s SYN/s, ", print_count(number, meta->source_limit));
	for (i = 0; i < meta->interfaces && i < META_INTERFACES; i++)
		fprintf(out, "%s%.16s (%s)", i ? ", " : "on ", meta->interface[i].name, summary__xdp_mode(meta, i));
	fclose(out);
	return canvas__wrap(canvas, row, rows_for(canvas, SETUP_ROWS), meta->dry_run ? CANVAS_WARN : CANVAS_PLAIN,
			    text);
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

/* Appends to the last sentence what armed ports it leaves out: "; also under attack: 443, 8443; 1 more armed". */
static void name_others(char text[ALARM_LEN], const struct snapshot *now, const struct port_view *const worst[],
			size_t shown, size_t count)
{
	size_t attacked = 0, i, len = strlen(text);

	for (i = 0; i < now->port_count; i++)
		attacked += now->ports[i].armed && now->ports[i].attack.under_attack;
	for (i = shown; i < attacked && i < ALARMS_KNOWN; i++)
		len += snprintf(text + len, ALARM_LEN - len, "%s%u", i == shown ? "; also under attack: " : ", ",
				worst[i]->port);
	if (i < attacked)
		snprintf(text + len, ALARM_LEN - len, " and %zu more", attacked - i);
	else if (i < count)
		snprintf(text + len, ALARM_LEN - len, "; %zu more armed", count - i);
}

/* The state of protection, where it is not fine. A small canvas has one row for it, and while a
 * port is armed only if it is critical.
 * Returns how many rows it takes. */
static int draw_verdict(const struct view *view, struct canvas *canvas, int row)
{
	bool small = canvas->rows < TALL;
	struct protection protection;
	const struct port_view *worst[ALARMS_KNOWN];
	char text[VERDICT_LEN];
	enum severity severity;

	protection__judge(&protection, view->rates.now, true);
	severity = protection__severity(protection.host);
	if (view->run != VIEW_ALIVE || severity == SEVERITY_FINE || protection.host == PROTECTION_ROW_HELD_OFF)
		return 0;
	if (small && severity != SEVERITY_CRITICAL && find_alarms(view->rates.now, worst, ALARMS_KNOWN))
		return 0;
	return canvas__wrap(canvas, row, small ? 1 : SENTENCE_ROWS,
			    severity == SEVERITY_CRITICAL ? CANVAS_BAD : CANVAS_WARN,
			    verdict__headline(text, &protection));
}

/* `verdict`: rows of it, of which a small canvas has none to spare for "no port ...". */
static int draw_alarms(const struct view *view, struct canvas *canvas, int row, int verdict)
{
	size_t most = canvas->rows < TALL ? 1 : TALL_ALARMS, i;
	const struct port_view *worst[ALARMS_KNOWN];
	size_t count = find_alarms(view->rates.now, worst, ALARMS_KNOWN);
	char text[ALARM_LEN];
	int rows = 0;

	if (view->run == VIEW_GONE || (!count && verdict && canvas->rows < TALL))
		return 0;
	if (!count) {
		canvas__put(canvas, row, 0, CANVAS_GOOD, "no port is over its budget");
		return 1;
	}
	for (i = 0; i < count && i < most; i++) {
		sentence__attack(text, worst[i]);
		if (i == most - 1 && count > most)
			name_others(text, view->rates.now, worst, most, count);
		rows += canvas__wrap(canvas, row + rows, rows_for(canvas, SENTENCE_ROWS),
				     worst[i]->attack.under_attack ? CANVAS_BAD : CANVAS_WARN, text);
	}
	return rows;
}

#define LOSS_LEN 48
#define MORE_LEN (int)sizeof(" and 10 more")

/* Returns its length. */
static int print_one_loss(char text[LOSS_LEN], const struct snapshot *now, unsigned loss)
{
	char number[PRINT_NUMBER_LEN];

	return snprintf(text, LOSS_LEN, " %s %s", print_loss(loss), print_short(number, now->losses[loss]));
}

/* Where not all of it fits, what has lost nothing gives way to what has. */
void banner__losses(const struct view *view, struct canvas *canvas, int row)
{
	const struct snapshot *now = view->rates.now;
	int column, behind = 0, hidden = 0; /* columns that losses still to be drawn take; losses without a place */
	char text[LOSS_LEN];

	for (unsigned i = 0; i < LOSS_MAX; i++)
		behind += now->losses[i] ? print_one_loss(text, now, i) : 0;
	canvas__blank(canvas, row, CANVAS_PLAIN);
	column = canvas__put(canvas, row, 0, CANVAS_PLAIN, "lost:");
	for (unsigned i = 0; i < LOSS_MAX; i++) {
		int width = print_one_loss(text, now, i), left = canvas->columns - column - width;

		behind -= now->losses[i] ? width : 0;
		if (left >= behind + (hidden ? MORE_LEN : 0) || (now->losses[i] && left >= MORE_LEN))
			column = canvas__put(canvas, row, column, now->losses[i] ? CANVAS_BAD : CANVAS_PLAIN, "%s",
					     text);
		else
			hidden += now->losses[i] != 0;
	}
	if (hidden)
		canvas__put(canvas, row, column, CANVAS_BAD, " and %d more", hidden);
}

int banner__alarms(const struct view *view, struct canvas *canvas, int row)
{
	int verdict = draw_verdict(view, canvas, row);

	return verdict + draw_alarms(view, canvas, row + verdict, verdict);
}
