/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parsers of one value. Input: a letter that says which, and the text. What is refused sets nothing and says why;
 * what is taken is the same when it is printed and parsed again, and as the C library reads it.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_VALUE_H
#define SYNWARDEN_TESTS_FUZZ_VALUE_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "config/options.h"
#include "config/cidr.h"
#include "config/values.h"
#include "fuzz.h"
#include "text/address.h"
#include "text/names.h"

#define FILL 0xa5

/* Fails unless what was refused is explained, and its place still as it was filled. */
static void check_refused(const char *text, const void *place, size_t size, const char *why)
{
	PROPERTY(why && *why, "\"%s\"", text);
	for (size_t i = 0; i < size; i++)
		PROPERTY(((const uint8_t *)place)[i] == FILL, "\"%s\" is refused, and sets something", text);
}

static bool is_inside(const struct addr *addr, const struct prefix *prefix)
{
	const uint8_t *a = addr->bytes, *b = (const uint8_t *)prefix->words;
	unsigned whole = prefix->prefixlen / 8, rest = prefix->prefixlen % 8;

	return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

static bool has_bits_behind(const struct prefix *prefix)
{
	const uint8_t *bytes = (const uint8_t *)prefix->words;

	for (unsigned bit = prefix->prefixlen; bit < 128; bit++)
		if (bytes[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

/* The address before the '/', as the C library reads it. */
static bool read_address(const char *text, struct addr *addr)
{
	char copy[INET6_ADDRSTRLEN] = "";
	size_t len = strcspn(text, "/");

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	memcpy(addr->bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	return inet_pton(AF_INET, copy, addr->bytes + 12) == 1 || inet_pton(AF_INET6, copy, addr->bytes) == 1;
}

static void check_meant(const char *text, const char *why)
{
	const char *meant = strstr(why, "did you mean "), *unused;
	char cidr[PRINT_PREFIX_LEN];
	struct prefix prefix;
	struct addr addr;

	if (!meant)
		return;
	snprintf(cidr, sizeof(cidr), "%.*s", (int)strcspn(meant + 13, "?"), meant + 13);
	PROPERTY(!parse_cidr(cidr, &prefix, &unused), "\"%s\": \"%s\" is proposed, and refused", text, cidr);
	PROPERTY(read_address(text, &addr) && is_inside(&addr, &prefix), "\"%s\" is not in \"%s\"", text, cidr);
}

static void try_cidr(const char *text)
{
	char printed[PRINT_PREFIX_LEN];
	struct prefix prefix, again;
	struct addr addr;
	const char *why = NULL;

	memset(&prefix, FILL, sizeof(prefix));
	if (parse_cidr(text, &prefix, &why)) {
		check_refused(text, &prefix, sizeof(prefix), why);
		check_meant(text, why);
		return;
	}
	PROPERTY(prefix.prefixlen <= 128, "\"%s\": /%u", text, prefix.prefixlen);
	PROPERTY(read_address(text, &addr) && is_inside(&addr, &prefix), "\"%s\"", text);
	PROPERTY(!memcmp(addr.words, prefix.words, sizeof(addr.words)), "\"%s\": another address", text);
	PROPERTY(!has_bits_behind(&prefix), "\"%s\": bits behind the length", text);
	print_prefix(printed, &prefix);
	PROPERTY(strlen(printed) < sizeof(printed), "\"%s\"", text);
	PROPERTY(!parse_cidr(printed, &again, &why), "\"%s\" is printed as \"%s\", which is refused", text, printed);
	PROPERTY(!memcmp(&prefix, &again, sizeof(prefix)), "\"%s\" is printed as \"%s\"", text, printed);
}

static bool is_digits(const char *text, size_t len)
{
	return len && strspn(text, "0123456789") >= len;
}

static void try_number(const char *text)
{
	const uint32_t min = 1, max = 31536000;
	const char *why = NULL;
	uint32_t number;
	bool right;

	memset(&number, FILL, sizeof(number));
	errno = 0;
	right = is_digits(text, strlen(text)) && strtoull(text, NULL, 10) - min <= max - min && !errno;
	PROPERTY(!parse_number(text, min, max, &number, &why) == right, "\"%s\"", text);
	if (right)
		PROPERTY(number == strtoull(text, NULL, 10), "\"%s\": %u", text, number);
	else
		check_refused(text, &number, sizeof(number), why);
}

/* What a duration is worth in nanoseconds, read from its end; false where it is none, or too much. */
static bool read_duration(const char *text, __uint128_t *ns)
{
	static const uint64_t seconds[] = {['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86400, ['w'] = 604800};
	size_t end = strlen(text), begin;
	uint64_t last = 0;

	*ns = 0;
	for (bool first = true; end; end = begin, first = false) {
		unsigned char unit = text[end - 1];
		bool bare = first && isdigit(unit) && strspn(text, "0123456789.") == end;
		uint64_t worth = bare ? 1 : unit < sizeof(seconds) / sizeof(*seconds) ? seconds[unit] : 0;
		size_t number_end = bare ? end : end - 1, point;
		__uint128_t whole = 0, part = 0, scale = 1;

		for (begin = number_end; begin && strchr("0123456789.", text[begin - 1]); begin--)
			;
		point = begin + strcspn(text + begin, ".");
		point = point < number_end ? point : number_end;
		if (!worth || worth <= last || begin == point || point + 1 == number_end || number_end - point > 10)
			return false;
		for (size_t i = begin; i < number_end; i++) {
			if (i != point && text[i] == '.')
				return false;
			if (i < point)
				whole = whole > UINT64_MAX ? whole : whole * 10 + text[i] - '0';
			else if (i > point)
				part = part * 10 + text[i] - '0', scale *= 10;
		}
		if (whole > UINT64_MAX / worth / 1000000000)
			return false;
		*ns += whole * worth * 1000000000 + part * worth * 1000000000 / scale;
		last = worth;
	}
	return *text && *ns <= UINT64_MAX;
}

static void try_duration(const char *text)
{
	const char *why = NULL;
	uint64_t ns;
	__uint128_t expected;
	bool right = read_duration(text, &expected);

	memset(&ns, FILL, sizeof(ns));
	PROPERTY(!parse_duration(text, &ns, &why) == right, "\"%s\"", text);
	if (right)
		PROPERTY(ns == expected, "\"%s\": %lu", text, ns);
	else
		check_refused(text, &ns, sizeof(ns), why);
}

/* A list's entry covers, sorted and apart, from its first address to its last. */
static void try_list_entry(const char *text)
{
	struct prefixes prefixes = {};
	const char *why = NULL;
	bool masked;
	size_t count;

	if (parse_list_entry(text, &prefixes, &masked, &why)) {
		PROPERTY(why && !prefixes.count, "\"%s\"", text);
		prefixes__free(&prefixes);
		return;
	}
	count = prefixes.count;
	for (size_t i = 0; i < count; i++)
		PROPERTY(!has_bits_behind(&prefixes.all[i]), "\"%s\": bits behind the length", text);
	PROPERTY(count <= 254, "\"%s\": %zu prefixes", text, count);
	prefixes__reduce(&prefixes, 0);
	PROPERTY(prefixes.count == count, "\"%s\": %zu prefixes would do, of %zu", text, prefixes.count, count);
	prefixes__free(&prefixes);
}

static void try_listen(const char *text)
{
	char printed[PRINT_ENDPOINT_LEN];
	struct listen_at at, again = {};
	const char *why = NULL;

	memset(&at, FILL, sizeof(at));
	if (parse_listen(text, &at, &why)) {
		check_refused(text, &at, sizeof(at), why);
		return;
	}
	if (at.off)
		return;
	PROPERTY(at.port, "\"%s\": port 0", text);
	/* A v4-mapped address in brackets is the IPv4 one. */
	print_endpoint(printed, &at.addr, at.port);
	PROPERTY(!parse_listen(printed, &again, &why), "\"%s\" is printed as \"%s\", which is refused", text, printed);
	PROPERTY(!memcmp(&at.addr, &again.addr, sizeof(at.addr)) && at.port == again.port,
		 "\"%s\" is printed as \"%s\"", text, printed);
}

static int count_served(void *context, const struct served *served)
{
	PROPERTY(served->port, "port 0 is served");
	++*(size_t *)context;
	return 0;
}

static void try_served(const char *text)
{
	size_t count = 0, commas = 0;
	const char *why = NULL;

	for (const char *at = text; (at = strchr(at, ',')); at++)
		commas++;
	if (parse_served_list(text, count_served, &count, &why))
		PROPERTY(why && *why && count <= commas, "\"%s\": refused behind its last", text);
	else if (parse_served_has_auto(text))
		PROPERTY(count <= commas, "\"%s\": %zu served", text, count);
	else
		PROPERTY(count == commas + 1, "\"%s\": %zu served", text, count);
}

static void try_state(const char *text)
{
	const char *why = NULL;
	uint32_t state, again = 0;

	memset(&state, FILL, sizeof(state));
	if (parse_state(text, &state, &why)) {
		check_refused(text, &state, sizeof(state), why);
		return;
	}
	/* Not always its own name: ss has other words. */
	PROPERTY(!parse_state(print_state(state), &again, &why) && again == state, "\"%s\": %u", text, state);
	PROPERTY(tolower(text[strspn(text, "-_")]) == tolower(*print_state(state)) || state == STATE_CLOSE,
		 "\"%s\": %u", text, state);
}

static void try_comm(const char *text)
{
	const char *comm, *why = NULL;

	memset(&comm, FILL, sizeof(comm));
	if (parse_comm(text, &comm, &why))
		check_refused(text, &comm, sizeof(comm), why);
	else
		PROPERTY(comm == text && strlen(text) - 1 < COMM_LEN - 1, "\"%s\"", text);
}

static void fuzz_value(const uint8_t *data, size_t size)
{
	static void (*const parsers[256])(const char *text) = {
		['c'] = try_cidr,   ['n'] = try_number, ['d'] = try_duration, ['l'] = try_listen,
		['v'] = try_served, ['s'] = try_state,	['m'] = try_comm,     ['e'] = try_list_entry,
	};
	char *text;

	if (!size || !parsers[*data])
		return;
	text = fuzz_text(data + 1, size - 1);
	parsers[*data](text);
	free(text);
}

#endif
