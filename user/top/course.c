// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of rates for each slot. A slot that another port has taken begins anew, and so does a port that was away.
 */
#include <string.h>

#include "top/course.h"

void course__clear(struct course *course)
{
	memset(course, 0, sizeof(*course));
}

/* Both snapshots are sorted by port. */
void course__add(struct course *course, const struct rates *rates)
{
	const struct snapshot *before = rates->before, *now = rates->now;
	size_t at = 0, look = course->looks;

	if (rates__seconds(rates) <= 0)
		return;
	for (size_t i = 0; i < now->port_count; i++) {
		const struct port_view *port = &now->ports[i];
		uint64_t syns = 0;

		while (at < before->port_count && before->ports[at].port < port->port)
			at++;
		if (at < before->port_count && before->ports[at].port == port->port)
			syns = before->ports[at].syns;
		if (port->slot >= MAX_PORTS)
			continue;
		if (!look || course->slots[port->slot].port != port->port ||
		    course->slots[port->slot].last + 1 != look) {
			course->slots[port->slot].port = port->port;
			course->slots[port->slot].first = look;
		}
		course->slots[port->slot].last = look;
		course->slots[port->slot].rates[look % COURSE_LOOKS] = rates__of(rates, syns, port->syns);
	}
	course->looks++;
}

double course__rate(const struct course *course, const struct port_view *port, size_t ago)
{
	size_t look = course->looks - 1 - ago;

	if (port->slot >= MAX_PORTS || ago >= course->looks || ago >= COURSE_LOOKS ||
	    course->slots[port->slot].port != port->port || look < course->slots[port->slot].first)
		return RATE_UNKNOWN;
	return course->slots[port->slot].rates[look % COURSE_LOOKS];
}

double course__full(const struct course *course, const struct port_view *port, size_t looks)
{
	double full = port->budget;

	for (size_t ago = 0; ago < looks; ago++)
		if (course__rate(course, port, ago) > full)
			full = course__rate(course, port, ago);
	return full;
}

void course__draw(const struct course *course, const struct port_view *port, struct canvas *canvas, int row, int rows,
		  int column, int columns, enum canvas_style style)
{
	double full = course__full(course, port, columns > 0 ? columns : 0);

	for (int i = 0; i < columns; i++) {
		double rate = course__rate(course, port, columns - 1 - i);
		bool over = port->budget && rate > port->budget;
		int level = rate > 0 ? (int)(rate / full * rows * CANVAS_LEVELS + 0.5) : 0;

		if (rate > 0 && level < 1)
			level = 1; /* something is not nothing */
		for (int up = 0; up < rows; up++)
			canvas__bar(canvas, row - up, column + i, over ? CANVAS_BAD : style,
				    level - up * CANVAS_LEVELS);
	}
}
