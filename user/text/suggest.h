/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of a table's names a mistyped one was probably to be.
 */
#ifndef SYNWARDEN_TEXT_SUGGEST_H
#define SYNWARDEN_TEXT_SUGGEST_H

#include <stddef.h>

#define SUGGEST_LEN 64 /* of ": did you mean NAME?" */

struct suggestion {
	const char *typed;
	size_t len;	  /* of it: it need not be terminated */
	const char *name; /* the closest so far; NULL: none is close */
	unsigned distance;
};

/* To be asked about each name of the table in turn; of names that are as close, the first one stays. */
void suggest__consider(struct suggestion *suggestion, const char *name);
/* ": did you mean NAME?", with `prefix` before the name, or "" where no name was close. Returns buf. */
const char *suggest__text(char buf[SUGGEST_LEN], const struct suggestion *suggestion, const char *prefix);

#endif
