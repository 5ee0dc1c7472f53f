// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structures of the boundary -> JSON.
 */
#include "output/columns.h"
#include "output/http_counters.h"
#include "output/records.h"
#include "text/address.h"
#include "text/json.h"
#include "text/names.h"
#include "text/print.h"

void records__transition(FILE *out, const struct event *event, uint64_t realtime_ns)
{
	char time[PRINT_TIME_LEN];
	struct json json;

	json_begin(&json, out);
	json_label(&json, "ts", print_time(time, realtime_ns));
	columns__json_socket(&json, event);
	json_label(&json, "old", print_state(event->old));
	json_label(&json, "new", print_state(event->new));
	columns__json_duration(&json, event);
	columns__json_owner(&json, event);
	if (event->ending)
		json_label(&json, "reason", print_ending(event->ending));
	json_end(&json);
}

static void json_number_or_null(struct json *json, const char *name, bool known, uint64_t number)
{
	if (known)
		json_number(json, name, number);
	else
		json_null(json, name);
}

/* The command that shows the next such connection segment by segment: of the same peer, to the same service, whose port
 * is the lower one where it is unknown which side connected. */
static void json_ladder(struct json *json, const struct life *life)
{
	const struct flow *flow = &life->event.flow;
	bool serves = life->role == ROLE_SERVER || (life->role == ROLE_UNKNOWN && flow->lport < flow->rport);
	char addr[PRINT_ADDR_LEN], command[PRINT_ADDR_LEN + sizeof("synwarden ladder --addr  --port 65535")];

	snprintf(command, sizeof(command), "synwarden ladder --addr %s --port %u", print_addr(addr, &flow->raddr),
		 serves ? flow->lport : flow->rport);
	json_string(json, "ladder", flow->rport ? command : NULL);
}

static void json_http(struct json *json, const struct life *life)
{
	json_string(json, "protocol", http_counters__protocol(life->protocol));
	json_number_or_null(json, "requests", life->protocol == PROTOCOL_HTTP1, life->requests);
	if (life->more)
		json_bool(json, "requests_at_least", true);
}

void records__connection(FILE *out, const struct life *life, uint64_t realtime_ns)
{
	static const char *const roles[] = {
		[ROLE_UNKNOWN] = "unknown", [ROLE_CLIENT] = "client", [ROLE_SERVER] = "server"};
	const struct event *e = &life->event;
	char time[PRINT_TIME_LEN];
	struct json json;

	json_begin(&json, out);
	json_label(&json, "ts", print_time(time, realtime_ns));
	columns__json_socket(&json, e);
	json_label(&json, "role", roles[life->role]);
	json_label(&json, "state", print_state(e->ending ? e->old : e->new));
	columns__json_duration(&json, e);
	json_bool(&json, "established", life->established);
	json_micros(&json, "handshake_us", life->handshake_ns ? life->handshake_ns : DURATION_UNKNOWN);
	json_number_or_null(&json, "sent_bytes", records__has_counts(life), life->sent);
	json_number_or_null(&json, "received_bytes", records__has_counts(life), life->received);
	json_number_or_null(&json, "retransmits", records__has_retransmits(life), life->retransmits);
	json_http(&json, life);
	json_string(&json, "closed_first", records__closer(life));
	if (e->ending)
		json_label(&json, "reason", print_ending(e->ending));
	else
		json_bool(&json, "snapshot", life->existed);
	columns__json_owner(&json, e);
	json_ladder(&json, life);
	json_end(&json);
}

void records__lost(FILE *out, const char *stage, uint64_t lost)
{
	struct json json;

	json_begin(&json, out);
	json_number(&json, "lost", lost);
	json_label(&json, "stage", stage);
	json_end(&json);
}

const char *records__list_origin(unsigned origins)
{
	static const char *const names[] = {"unknown", "command", "file", "file and command"};

	return names[origins & (LIST_BY_COMMAND | LIST_BY_FILE)];
}

void records__list_entry(FILE *out, const char *list, const struct prefix *prefix, uint64_t left_ns, unsigned origins)
{
	char text[PRINT_PREFIX_LEN];
	struct json json;

	json_begin(&json, out);
	json_label(&json, "list", list);
	json_label(&json, "cidr", print_prefix(text, prefix));
	json_number_or_null(&json, "expires_in_seconds", left_ns, (left_ns + 999999999) / 1000000000);
	json_label(&json, "origin", records__list_origin(origins));
	json_end(&json);
}

void records__whole_life(struct life *life)
{
	life->event.duration_ns = life->age_ns;
	life->event.at_least = life->existed && life->age_ns != DURATION_UNKNOWN;
}

bool records__has_counts(const struct life *life)
{
	return life->sent != BYTES_UNKNOWN;
}

/* Of a half-open connection, only SYN-ACKs sent again are counted. */
bool records__has_retransmits(const struct life *life)
{
	return records__has_counts(life) || life->event.new == STATE_NEW_SYN_RECV;
}

const char *records__closer(const struct life *life)
{
	static const char *const closers[] = {[CLOSER_LOCAL] = "local", [CLOSER_REMOTE] = "remote"};

	return closers[life->closer];
}
