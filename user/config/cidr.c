// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text -> prefixes. Addresses are read by inet_pton(), which refuses octal numbers and abbreviations.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/cidr.h"
#include "config/json_line.h"
#include "text/address.h"

#define BLANKS	  " \t"
#define CIDR_LEN  128 /* of a member "cidr" */
#define WHY_ENTRY "an address, a prefix, a range FROM-TO, or a JSON object with a \"cidr\""

static _Thread_local char why_text[192];

int cidr__address(const char *text, size_t len, struct addr *addr)
{
	char copy[INET6_ADDRSTRLEN];
	uint32_t v4;

	if (len >= sizeof(copy))
		return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1) {
		*addr = address__from_v4(v4);
		return 4;
	}
	return inet_pton(AF_INET6, copy, addr->bytes) == 1 ? 6 : 0;
}

static void clear_behind(struct addr *addr, unsigned bits)
{
	unsigned i;

	for (i = 0; i < sizeof(addr->bytes); i++) {
		unsigned keep = bits < 8 * i ? 0 : bits - 8 * i;

		addr->bytes[i] &= keep < 8 ? 0xff00 >> keep : 0xff;
	}
}

/* "255.255.255.0": 24. -1: its bits are not in one piece. */
static int netmask_length(const char *text)
{
	struct addr mask;
	uint32_t bits;

	if (cidr__address(text, strlen(text), &mask) != 4)
		return -1;
	bits = ntohl(mask.words[3]);
	if (~bits & (~bits + 1)) /* its zeros are not all behind its ones */
		return -1;
	return __builtin_popcount(bits);
}

/* "24", or for IPv4 a netmask; -1 where it is neither. */
static int parse_length(const char *text, int family)
{
	int most = family == 4 ? 32 : 128, length = 0;

	if (family == 4 && strchr(text, '.'))
		return netmask_length(text);
	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		length = length * 10 + *text - '0';
		if (length > most)
			return -1;
	}
	return length;
}

int parse_masked_cidr(const char *text, struct prefix *prefix, bool *masked, const char **why)
{
	const char *slash = strchrnul(text, '/');
	struct addr addr, network;
	int family = cidr__address(text, slash - text, &addr), length;

	if (!family) {
		*why = "an IPv4 or IPv6 address, optionally with /LENGTH";
		return -1;
	}
	length = *slash ? parse_length(slash + 1, family) : family == 4 ? 32 : 128;
	if (length < 0) {
		*why = family == 4 ? "an IPv4 prefix: its length is a number from 0 to 32, or a netmask"
				   : "an IPv6 prefix: its length is a number from 0 to 128";
		return -1;
	}
	prefix->prefixlen = length + (family == 4 ? 96 : 0);
	network = addr;
	clear_behind(&network, prefix->prefixlen);
	memcpy(prefix->words, network.words, sizeof(prefix->words));
	*masked = memcmp(&network, &addr, sizeof(addr)) != 0;
	return 0;
}

int parse_cidr(const char *text, struct prefix *prefix, const char **why)
{
	char meant_text[PRINT_PREFIX_LEN];
	struct prefix meant;
	bool masked;

	if (parse_masked_cidr(text, &meant, &masked, why))
		return -1;
	if (masked) {
		snprintf(why_text, sizeof(why_text), "a prefix: bits are set behind its length; did you mean %s?",
			 print_prefix(meant_text, &meant));
		*why = why_text;
		return -1;
	}
	*prefix = meant;
	return 0;
}

/* "FROM-TO", with or without blanks around the dash. */
static int parse_range(const char *text, struct prefixes *prefixes, const char **why)
{
	const char *dash = strchr(text, '-'), *end = dash;
	struct addr from, to;
	int family;

	while (end > text && strchr(BLANKS, end[-1]))
		end--;
	dash += 1 + strspn(dash + 1, BLANKS);
	family = cidr__address(text, end - text, &from);
	if (!family || cidr__address(dash, strlen(dash), &to) != family || memcmp(&from, &to, sizeof(from)) > 0) {
		*why = "a range FROM-TO of addresses of one family, FROM before TO";
		return -1;
	}
	if (prefixes__add_range(prefixes, &from, &to) == 0)
		return 0;
	*why = "read: out of memory";
	return -1;
}

static int add_prefix(const char *text, struct prefixes *prefixes, bool *masked, const char **why)
{
	struct prefix prefix;

	if (parse_masked_cidr(text, &prefix, masked, why))
		return -1;
	if (prefixes__add(prefixes, &prefix) == 0)
		return 0;
	*why = "read: out of memory";
	return -1;
}

int parse_list_entry(const char *text, struct prefixes *prefixes, bool *masked, const char **why)
{
	char cidr[CIDR_LEN];
	int found;

	*masked = false;
	if (*text == '{') {
		found = json_line__string(text, "cidr", cidr, sizeof(cidr));
		if (found > 0)
			return add_prefix(cidr, prefixes, masked, why);
		*why = WHY_ENTRY;
		return found;
	}
	if (strchr(text, '-'))
		return parse_range(text, prefixes, why);
	if (add_prefix(text, prefixes, masked, why) == 0)
		return 0;
	if (!strpbrk(text, "/.:"))
		*why = WHY_ENTRY;
	return -1;
}
