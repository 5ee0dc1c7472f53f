// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which requests are answered: those to this host, of a known user where there are users. A password that is not looked
 * at is refused only after a while, as a client that guesses would else ask again at once, and for ever.
 */
#include <string.h>

#include "server/host.h"
#include "server/http.h"
#include "server/reply.h"

/* The password is not left in memory that is freed. */
static void forget(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
}

static enum auth_answer ask_user(const struct http_request *request)
{
	char *password = NULL, *user = MHD_basic_auth_get_username_password(request->connection, &password);
	enum auth_answer answer = auth__check(request->http->auth, &request->client->from, user, password);

	MHD_free(user);
	forget(password);
	return answer;
}

/* Until clients__resume(). */
static enum MHD_Result delay(struct http_request *request)
{
	request->refusal = MHD_HTTP_TOO_MANY_REQUESTS;
	atomic_store(&request->client->delayed, true);
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

/* Not asked where there are users: a browser keeps its passwords from a page of another name. */
static bool is_foreign(const struct http_request *request)
{
	const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	return !host__is_ours(host, request->http->options.hosts);
}

bool admission__check(struct http_request *request, enum MHD_Result *queued)
{
	struct MHD_Connection *connection = request->connection;

	if (!request->http->auth) {
		if (!is_foreign(request))
			return true;
		*queued = reply__refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
					"not a name of this host; run --host NAME adds one\n");
		return false;
	}
	switch (ask_user(request)) {
	case AUTH_GRANTED:
		return true;
	case AUTH_LATER:
		*queued = delay(request);
		return false;
	default:
		*queued = reply__refuse(connection, MHD_HTTP_UNAUTHORIZED, "a user and a password are needed\n");
		return false;
	}
}
