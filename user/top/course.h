/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs of each port over the last looks of `top`, as bars.
 */
#ifndef SYNWARDEN_TOP_COURSE_H
#define SYNWARDEN_TOP_COURSE_H

#include "kernel/snapshot.h"
#include "top/canvas.h"
#include "top/rates.h"

#define COURSE_LOOKS 300

struct course {
	size_t looks; /* that were added since it was cleared */
	struct {
		uint16_t port;
		size_t first;		   /* the look from which on the port was seen at each one */
		size_t last;		   /* the last one at which it was seen */
		float rates[COURSE_LOOKS]; /* SYN/s, of look n at n % COURSE_LOOKS */
	} slots[MAX_PORTS];		   /* as struct port_view has them */
};

/* The rates of a look, where they are known. */
void course__add(struct course *course, const struct rates *rates);
void course__clear(struct course *course);

/* SYN/s of the look that was `ago` before the last one; RATE_UNKNOWN where there was none. */
double course__rate(const struct course *course, const struct port_view *port, size_t ago);
/* What a full bar is among the last `looks`: the port's budget, or its highest rate where that is more. */
double course__full(const struct course *course, const struct port_view *port, size_t looks);
/*
 * A bar a look, the last one on the right. From `row` upwards over `rows` rows. `style` is that of bars within the
 * budget; those over it are CANVAS_BAD.
 */
void course__draw(const struct course *course, const struct port_view *port, struct canvas *canvas, int row, int rows,
		  int column, int columns, enum canvas_style style);

#endif
