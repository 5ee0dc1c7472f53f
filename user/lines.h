/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the lines of `states` and `conns` have in common: JSON fields of a socket and its owner, and columns that fit
 * the terminal.
 */
#ifndef SYNWARDEN_LINES_H
#define SYNWARDEN_LINES_H

#include <stdbool.h>

#include "print.h"
#include "types.h"

/* "cookie" to "rport" */
void lines__json_socket(struct json *json, const struct event *event);
/* "pid" to "netns" */
void lines__json_owner(struct json *json, const struct event *event);
/* "duration_us", and "duration_at_least_us" where no more is known. */
void lines__json_duration(struct json *json, const struct event *event);

/* As in the JSON: ">1.20 ms" is at least that long. */
char *lines__duration(char buf[PRINT_NUMBER_LEN], const struct event *event);

/* Columns of the terminal that stdout is; UINT_MAX where it is none. */
unsigned lines__width(void);

/*
 * A line on stdout, column after column. What is wider than its column moves the next ones to the right, only as far as
 * it must; where there is room again, they stand where they should.
 */
struct line {
	int at;	 /* written so far */
	int due; /* where the next column should begin */
};

enum line_align {
	LINE_LEFT,
	LINE_RIGHT,
};

/* Nothing where width is 0. */
void lines__column(struct line *line, int width, enum line_align align, const char *text);
/* The same in a colour, a sequence of print.h. */
void lines__coloured(struct line *line, int width, const char *colour, const char *text);

#define LINES_PORT_ONLY 5 /* width of a column that has a local port in place of the address and port */
void lines__local(struct line *line, int width, const struct flow *flow);
void lines__local_header(struct line *line, int width);
void lines__remote(struct line *line, int width, const struct flow *flow);
/* "-" where the owner is not known. */
void lines__owner(struct line *line, int pid_width, int comm_width, const struct owner *owner);

#endif
