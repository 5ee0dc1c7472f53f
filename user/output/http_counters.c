// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of words.
 */
#include <stddef.h>

#include "output/http_counters.h"

const char *http_counters__class(enum http_class class)
{
	static const char *const names[] = {"unanswered", "1xx", "2xx", "3xx", "4xx", "5xx"};

	return names[class];
}

const char *http_counters__carries(enum http_carries carries)
{
	static const char *const names[] = {
		[HTTP_CARRIES_1] = "http1", [HTTP_CARRIES_2] = "h2c", [HTTP_CARRIES_TLS] = "tls"};

	return names[carries];
}

const char *http_counters__protocol(enum protocol protocol)
{
	if (protocol == PROTOCOL_UNKNOWN)
		return NULL;
	return protocol == PROTOCOL_OTHER ? "other" : http_counters__carries(protocol - PROTOCOL_HTTP1);
}

const char *http_counters__closer(enum http_closer closer)
{
	static const char *const names[] = {[HTTP_BY_CLIENT] = "client",
					    [HTTP_BY_SERVER] = "server",
					    [HTTP_BY_RESET] = "reset",
					    [HTTP_BY_OTHER] = "other"};

	return names[closer];
}
