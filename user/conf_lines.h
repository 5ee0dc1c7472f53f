/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text files a line at a time: what is no text, or too long for a line, is an error with its place.
 */
#ifndef SYNWARDEN_CONF_LINES_H
#define SYNWARDEN_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct conf_lines {
	const char *path;
	FILE *in;
	unsigned line;	  /* the one that was read last, from 1 */
	unsigned *errors; /* of all files that are read together */
};

/* 0; -1 and no message, with *why set, where `path` cannot be read. */
int conf_lines_open(struct conf_lines *lines, const char *path, unsigned *errors, const char **why);
/*
 * The next line, without what ends it and without a byte order mark: one that does not fit is an error, and blank.
 * False at the end of the file, or of what is text.
 */
bool conf_lines_next(struct conf_lines *lines, char *text, size_t size);
void conf_lines_close(struct conf_lines *lines);

/* "PATH:LINE: ...". After a hundred, errors are only counted. */
void conf_lines_error(const struct conf_lines *lines, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Says how many more there were; -1 if there was any. */
int conf_lines_result(const char *path, unsigned errors);

#endif
