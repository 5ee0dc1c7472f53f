// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the dashboard asks for about one port: where it is served, its hour, and what a SYN to it would get.
 */
#include <string.h>

#include "config/cidr.h"
#include "endpoint/api.h"
#include "output/why.h"
#include "text/json.h"
#include "text/print.h"

#define MOST_SERVED 64

static bool is_anywhere(const struct addr *addr)
{
	return !addr->halves[0] && !addr->halves[1];
}

static bool comes_before(const struct addr *addrs, int place)
{
	for (int i = 0; i < place; i++)
		if (!memcmp(&addrs[i], &addrs[place], sizeof(addrs[i])))
			return true;
	return false;
}

int api__port(FILE *out, const struct maps *maps, struct http_request *request)
{
	struct addr addrs[MOST_SERVED];
	char text[PRINT_ADDR_LEN];
	struct json json;
	uint32_t port;
	int status = api__query_port(out, request, &port), count;

	if (status)
		return status;
	count = snapshot__served(addrs, MOST_SERVED, maps, port);
	json_begin(&json, out);
	json_number(&json, "port", port);
	json_array(&json, "served");
	for (int i = 0; i < count; i++) {
		if (comes_before(addrs, i))
			continue;
		json_comma(&json);
		json_put_string(&json, is_anywhere(&addrs[i]) ? "every address" : print_addr(text, &addrs[i]));
	}
	json_close(&json, ']');
	json_end(&json);
	return 0;
}

int api__history(FILE *out, struct history *history, const struct snapshot *snapshot, struct http_request *request)
{
	const char *asked = server__query(request, "span");
	enum history_span span = asked ? history__span(asked) : HISTORY_MINUTES;
	uint32_t port;
	int status = api__query_port(out, request, &port);

	if (status)
		return status;
	if (span == HISTORY_SPAN_MAX) {
		fputs("span: not 5m, 1h or 24h\n", out);
		return 400;
	}
	if (port)
		history__port_json(out, history, snapshot, port);
	else
		history__json(out, history, span);
	return 0;
}

int api__why(FILE *out, const struct programs *programs, const struct snapshot *snapshot, struct http_request *request)
{
	const char *address = server__query(request, "address"), *unused;
	struct why why = {.syn = {.burst = true}};
	struct prefix prefix;
	uint32_t port;
	int status = api__query_port(out, request, &port);

	if (status)
		return status;
	if (!address || parse_cidr(address, &prefix, &unused) || prefix.prefixlen != 128) {
		fputs("address: not an IPv4 or IPv6 address\n", out);
		return 400;
	}
	memcpy(why.syn.from.words, prefix.words, sizeof(why.syn.from.words));
	why.syn.port = port;
	why.to_port = port;
	if (why__ask(&why, programs__explain_fd(programs), programs__maps(programs), snapshot, NULL))
		return -1;
	why__json(out, address, &why);
	return 0;
}
