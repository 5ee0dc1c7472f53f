// SPDX-License-Identifier: GPL-2.0-only
/*
 * What text and JSON say alike.
 */
#include "segments/exchange_show.h"

bool exchange_words__is_reset(const struct http_end *end)
{
	return end->ending == ENDING_RESET_SENT || end->ending == ENDING_RESET_RECEIVED;
}

const char *exchange_words__closed_by(const struct http_about *about, const struct http_end *end)
{
	bool here = end->closer == CLOSER_LOCAL;

	if (exchange_words__is_reset(end))
		here = end->ending == ENDING_RESET_SENT;
	else if (end->closer != CLOSER_LOCAL && end->closer != CLOSER_REMOTE)
		return NULL;
	return here == about->is_server ? "server" : "client";
}

uint64_t exchange_words__first_byte(const struct http_request *request)
{
	if (request->is_unseen || !request->status || request->answered_ns < request->asked_ns)
		return DURATION_UNKNOWN;
	return request->answered_ns - request->asked_ns;
}

uint64_t exchange_words__total(const struct http_request *request)
{
	uint64_t from = request->is_unseen ? request->answered_ns : request->begun_ns;

	return request->ended_ns > from ? request->ended_ns - from : 0;
}
