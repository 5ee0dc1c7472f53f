/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parsers of one value. Input: a letter that says which, and the text. What is refused sets nothing and says why;
 * what is taken is the same when it is printed and parsed again, and as the C library reads it.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_VALUE_H
#define SYNWARDEN_TESTS_FUZZ_VALUE_H

#include <arpa/inet.h>
#include <errno.h>

#include "fuzz.h"
#include "options.h"
#include "print.h"

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

static void try_duration(const char *text)
{
	static const uint64_t seconds[] = {['\0'] = 1, ['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86400};
	size_t digits = strspn(text, "0123456789");
	unsigned char unit = text[digits];
	const char *why = NULL;
	uint64_t ns;
	__uint128_t expected;
	bool right;

	memset(&ns, FILL, sizeof(ns));
	errno = 0;
	expected = strtoull(text, NULL, 10);
	right = digits && !errno && unit < sizeof(seconds) / sizeof(*seconds) && seconds[unit] &&
		(!unit || !text[digits + 1]);
	if (right)
		expected *= seconds[unit] * 1000000000ULL;
	right = right && expected <= UINT64_MAX;
	PROPERTY(!parse_duration(text, &ns, &why) == right, "\"%s\"", text);
	if (right)
		PROPERTY(ns == expected, "\"%s\": %lu", text, ns);
	else
		check_refused(text, &ns, sizeof(ns), why);
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
	else
		PROPERTY(count == commas + 1, "\"%s\": %zu served", text, count);
}

static void try_state(const char *text)
{
	const char *why = NULL;
	uint32_t state;

	memset(&state, FILL, sizeof(state));
	if (parse_state(text, &state, &why))
		check_refused(text, &state, sizeof(state), why);
	else
		PROPERTY(!strcasecmp(print_state(state), text), "\"%s\": %u", text, state);
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
		['v'] = try_served, ['s'] = try_state,	['m'] = try_comm,
	};
	char *text;

	if (!size || !parsers[*data])
		return;
	text = fuzz_text(data + 1, size - 1);
	parsers[*data](text);
	free(text);
}

#endif
