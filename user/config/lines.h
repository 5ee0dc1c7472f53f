/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text files a line at a time: what is no text, or too long for a line, is an error with its place.
 */
#ifndef SYNWARDEN_CONFIG_LINES_H
#define SYNWARDEN_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct lines {
	const char *path;
	FILE *in;
	unsigned line;	  /* the one that was read last, from 1 */
	unsigned *errors; /* of all files that are read together */
	/* Of a list: a bad line is a warning, ';' and '#' begin a comment, which may be longer than a line. */
	bool is_list;
	bool failed;  /* what follows could not be read, or is no text */
	bool is_lent; /* `in` is the caller's */
};

#define LINES_QUOTE_LEN 160

/*
 * 0; -1 and no message, with *why set, where `path` cannot be read. One that others may change is warned of, or refused
 * (ownership.h).
 */
int lines__open(struct lines *lines, const char *path, unsigned *errors, const char **why);
/* What `in` holds, which stays open; `path` is what messages call it. */
void lines__open_stream(struct lines *lines, FILE *in, const char *path, unsigned *errors);
/*
 * The next line, without what ends it and without a byte order mark: one that does not fit is an error, and blank.
 * Of a list's line, the comment is left out. False at the end of the file, or of what is text.
 */
bool lines__next(struct lines *lines, char *text, size_t size);
void lines__close(struct lines *lines);

/*
 * Text for an error message: quoted where it consists of `letters` only, else by its length. A user who may have a
 * file read with root's rights, as by sudo, must not see its content in messages.
 */
char *lines__quote(char buf[LINES_QUOTE_LEN], const char *text, const char *letters);
/* "PATH:LINE: ...". After a hundred, or of a list after twenty, errors are only counted. */
void lines__error(const struct lines *lines, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Says how many more there were; -1 if there was any. */
int lines_result(const char *path, unsigned errors);

#endif
