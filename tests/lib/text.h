/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking into text that is under test. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_TEXT_H
#define SYNWARDEN_TESTS_TEXT_H

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline void assert_line(const char *text, const char *line)
{
	const char *found = text;
	size_t len = strlen(line);

	while ((found = strstr(found, line))) {
		if ((found == text || found[-1] == '\n') && found[len] == '\n')
			return;
		found += len;
	}
	fail_msg("no line: %s", line);
}

static inline size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text += strlen(what);
	}
	return count;
}

#endif
