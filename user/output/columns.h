/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by `states` and `conns`: JSON fields of a socket and its owner, and columns that fit the terminal.
 */
#ifndef SYNWARDEN_OUTPUT_COLUMNS_H
#define SYNWARDEN_OUTPUT_COLUMNS_H

#include <stdbool.h>

#include "text/json.h"
#include "text/print.h"
#include "types.h"

/* "cookie" to "rport" */
void columns__json_socket(struct json *json, const struct event *event);
/* "pid" to "netns" */
void columns__json_owner(struct json *json, const struct event *event);
/* "duration_us", and "duration_at_least_us" if only a lower bound is known. */
void columns__json_duration(struct json *json, const struct event *event);

/* As in the JSON: ">1.20 ms" is a lower bound. */
char *columns__duration(char buf[PRINT_NUMBER_LEN], const struct event *event);

/* Columns of the terminal on stdout; UINT_MAX if stdout is no terminal. */
unsigned columns__width(void);

/*
 * A line on stdout, column after column. A text wider than its column moves the next columns to the right, until one
 * has room to spare.
 */
struct line {
	int at;	 /* written so far */
	int due; /* where the next column should begin */
};

enum line_align {
	LINE_LEFT,
	LINE_RIGHT,
};

/* Prints nothing if width is 0. */
void columns__column(struct line *line, int width, enum line_align align, const char *text);
/* The same in a colour, a sequence of print.h. */
void columns__coloured(struct line *line, int width, const char *colour, const char *text);

#define LINES_PORT_ONLY 5 /* width of a column that has a local port in place of the address and port */
void columns__local(struct line *line, int width, const struct event *event);
void columns__local_header(struct line *line, int width);
void columns__remote(struct line *line, int width, const struct flow *flow);
/* "-" if the owner is unknown. */
void columns__owner(struct line *line, int pid_width, int comm_width, const struct owner *owner);

#endif
