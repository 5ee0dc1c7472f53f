// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the Host header names this host. An address always does: no other party can make it resolve to this host.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/host.h"

#define NAME_LEN 256 /* longer than any name in the DNS */

/* Whether a list with commas has `name`, whatever the case of letters. */
static bool has(const char *names, const char *name)
{
	size_t len;

	for (; names && *names; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		if (len == strlen(name) && !strncasecmp(names, name, len))
			return true;
	}
	return false;
}

/* The name without port and final dot, or the address without brackets; false where it is neither. */
static bool cut(char name[NAME_LEN], const char *host)
{
	bool bracketed = *host == '[';
	size_t len = strcspn(host += bracketed, bracketed ? "]" : ":");
	const char *port = host + len + bracketed;

	if (!len || len >= NAME_LEN || (bracketed && !host[len]) || (*port && *port != ':'))
		return false;
	if (*port && strspn(port + 1, "0123456789") != strlen(port + 1))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (!bracketed && name[len - 1] == '.')
		name[len - 1] = '\0';
	return true;
}

static bool is_address(const char *name, bool bracketed)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(bracketed ? AF_INET6 : AF_INET, name, address) == 1;
}

bool host__is_ours(const char *host, const char *names)
{
	char name[NAME_LEN], own[HOST_NAME_MAX + 1] = "";

	if (!host)
		return true;
	if (!cut(name, host))
		return false;
	if (is_address(name, *host == '['))
		return true;
	if (*host == '[')
		return false;
	gethostname(own, sizeof(own) - 1);
	return !strcasecmp(name, "localhost") || (*own && !strcasecmp(name, own)) || has(names, name);
}
