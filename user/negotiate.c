// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of words with parameters, "word;name=value;q=0.5, word", taken apart without changing or copying them.
 */
#include <string.h>
#include <strings.h>

#include "negotiate.h"

#define WHOLE 1000 /* the quality value 1 */

/* A part of a header, without the blanks around it. */
struct span {
	const char *at;
	size_t len;
};

static struct span trim(const char *at, const char *end)
{
	at += strspn(at, " \t");
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct span){at, end > at ? (size_t)(end - at) : 0};
}

/* Cuts `rest` at the next separator that is not in quotes; false at its end. */
static bool next(struct span *rest, char separator, struct span *part)
{
	const char *end, *at;
	bool quoted = false;

	if (!rest->len)
		return false;
	end = rest->at + rest->len;
	for (at = rest->at; at < end && (quoted || *at != separator); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at + 1 < end)
			at++;
	}
	*part = trim(rest->at, at);
	rest->len = at < end ? (size_t)(end - at - 1) : 0;
	rest->at = at < end ? at + 1 : end;
	return true;
}

static bool is(struct span span, const char *word)
{
	return span.len == strlen(word) && !strncasecmp(span.at, word, span.len);
}

static bool same(struct span a, struct span b)
{
	return a.len == b.len && !strncasecmp(a.at, b.at, a.len);
}

/* "name=value" -> true, and the value without its quotes, where that is its name. */
static bool parameter(struct span part, const char *name, struct span *value)
{
	const char *equals = memchr(part.at, '=', part.len);

	if (!equals || !is(trim(part.at, equals), name))
		return false;
	*value = trim(equals + 1, part.at + part.len);
	if (value->len >= 2 && value->at[0] == '"' && value->at[value->len - 1] == '"')
		*value = (struct span){value->at + 1, value->len - 2};
	return true;
}

/* "0.25" -> 250; what is no quality value is taken for the least. */
static unsigned quality(struct span value)
{
	unsigned thousandths, unit = WHOLE / 10;

	if (!value.len || value.len > 5 || (value.at[0] != '0' && value.at[0] != '1') ||
	    (value.len > 1 && value.at[1] != '.'))
		return 0;
	thousandths = value.at[0] == '1' ? WHOLE : 0;
	for (size_t i = 2; i < value.len; i++, unit /= 10) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return 0;
		thousandths += (value.at[i] - '0') * unit;
	}
	return thousandths < WHOLE ? thousandths : WHOLE;
}

/* An item's first part, the word itself; its quality, and its version ("" where it names none). */
static struct span take_apart(struct span item, unsigned *q, struct span *version)
{
	struct span word = {"", 0}, part, value;

	*q = WHOLE;
	*version = word;
	next(&item, ';', &word);
	while (next(&item, ';', &part)) {
		if (parameter(part, "q", &value))
			*q = quality(value);
		else if (parameter(part, "version", &value))
			*version = value;
	}
	return word;
}

/* How closely a range describes a type: 0 not at all, 1 for any type, then the more the closer. */
static unsigned closeness(struct span range, struct span range_version, struct span type, struct span version)
{
	const char *slash = memchr(type.at, '/', type.len);

	if (is(range, "*/*"))
		return 1;
	if (slash && range.len == (size_t)(slash - type.at) + 2 && range.at[range.len - 1] == '*' &&
	    !strncasecmp(range.at, type.at, range.len - 1))
		return 2;
	if (!same(range, type) || (range_version.len && version.len && !same(range_version, version)))
		return 0;
	return range_version.len ? 4 : 3;
}

unsigned negotiate__type(const char *accept, const char *type)
{
	struct span rest = {accept, accept ? strlen(accept) : 0}, item, version, range_version, name, range;
	unsigned q, best = 0, closest = 0, close;

	if (!rest.len)
		return WHOLE;
	name = take_apart((struct span){type, strlen(type)}, &q, &version);
	while (next(&rest, ',', &item)) {
		range = take_apart(item, &q, &range_version);
		close = closeness(range, range_version, name, version);
		if (!close || close < closest || (close == closest && q < best))
			continue;
		closest = close;
		best = q;
	}
	return best;
}

bool negotiate__gzip(const char *accept_encoding)
{
	struct span rest = {accept_encoding, accept_encoding ? strlen(accept_encoding) : 0}, item, version, word;
	unsigned q, gzip = 0, any = 0, identity = 0;
	bool named = false;

	while (next(&rest, ',', &item)) {
		word = take_apart(item, &q, &version);
		if (is(word, "gzip") || is(word, "x-gzip")) {
			named = true;
			gzip = q;
		} else if (is(word, "identity")) {
			identity = q;
		} else if (is(word, "*")) {
			any = q;
		}
	}
	if (!named)
		gzip = any;
	return gzip && gzip >= identity;
}
