// SPDX-License-Identifier: GPL-2.0-only
/*
 * Written here as libmicrohttpd has no content negotiation.
 */
#include <string.h>
#include <strings.h>

#include "server/negotiate.h"

#define WHOLE	   1000 /* the quality value 1 */
#define BLANKS	   " \t"
#define SEPARATORS ",; \t"

/* "0.25" -> 250; 0 for what is no quality value. */
static unsigned parse_quality(const char *text)
{
	unsigned thousandths = *text == '1' ? WHOLE : 0, unit = WHOLE / 10;

	if (*text != '0' && *text != '1')
		return 0;
	if (*++text == '.')
		for (text++; *text >= '0' && *text <= '9' && unit; text++, unit /= 10)
			thousandths += (*text - '0') * unit;
	if (!strchr(SEPARATORS, *text))
		return 0;
	return thousandths < WHOLE ? thousandths : WHOLE;
}

/* `parameters` begin behind a word of the list, and end with its item. */
static unsigned quality_of(const char *parameters)
{
	const char *end = parameters + strcspn(parameters, ",");

	while ((parameters = memchr(parameters, ';', end - parameters))) {
		parameters += 1 + strspn(parameters + 1, BLANKS);
		if (!strncasecmp(parameters, "q=", 2))
			return parse_quality(parameters + 2);
	}
	return WHOLE;
}

unsigned negotiate__quality(const char *list, const char *word)
{
	size_t len = strcspn(word, ";");
	unsigned quality, best = 0;

	for (; list && *list; list += strcspn(list, ",")) {
		list += strspn(list, "," BLANKS);
		if (strncasecmp(list, word, len) || (list[len] && !strchr(SEPARATORS, list[len])))
			continue;
		quality = quality_of(list + len);
		if (!quality)
			return 0;
		best = quality > best ? quality : best;
	}
	return best;
}

bool negotiate__gzip(const char *accept_encoding)
{
	unsigned gzip = negotiate__quality(accept_encoding, "gzip");

	return gzip && gzip >= negotiate__quality(accept_encoding, "identity");
}
