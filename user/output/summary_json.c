// SPDX-License-Identifier: GPL-2.0-only
/*
 * The summary as one JSON object.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "kernel/histogram.h"
#include "kernel/list_set.h"
#include "output/http_counters.h"
#include "output/port_counters.h"
#include "output/sentence.h"
#include "output/summary.h"
#include "output/verdict.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/json.h"
#include "text/names.h"
#include "text/print.h"

static void json_verdicts(struct json *json, const struct snapshot *s)
{
	json_array(json, "verdicts");
	for (unsigned i = 0; i < REASON_MAX; i++) {
		json_item(json);
		json_string(json, "verdict", print_verdict(print_reason_verdict(i)));
		json_string(json, "reason", print_reason(i));
		json_number(json, "packets", s->verdicts[i].packets);
		json_number(json, "bytes", s->verdicts[i].bytes);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_states(struct json *json, const struct snapshot *s)
{
	json_array(json, "states");
	for (unsigned state = 1; state <= STATE_NEW_SYN_RECV; state++) {
		json_item(json);
		json_string(json, "state", print_state(state));
		json_number(json, "now", s->census.states[state]);
		json_number(json, "entered", snapshot__entered(s, state));
		json_micros(json, "p50_us", histogram__quantile(&s->durations[state], 0.5));
		json_micros(json, "p99_us", histogram__quantile(&s->durations[state], 0.99));
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* Without those that never occurred. */
static void json_transitions(struct json *json, const struct snapshot *s)
{
	json_array(json, "transitions");
	for (unsigned from = 1; from < STATE_MAX; from++) {
		for (unsigned to = 1; to < STATE_MAX; to++) {
			if (!s->transitions[from][to])
				continue;
			json_item(json);
			json_string(json, "from", print_state(from));
			json_string(json, "to", print_state(to));
			json_number(json, "count", s->transitions[from][to]);
			json_close(json, '}');
		}
	}
	json_close(json, ']');
}

/* In words, for an armed port. */
static void json_sentence(struct json *json, const struct port_view *port)
{
	char text[SENTENCE_LEN];

	if (port->armed)
		json_string(json, "sentence", sentence__attack(text, port));
	else
		json_null(json, "sentence");
}

static void json_port(struct json *json, const struct protection *protection, size_t place)
{
	const struct port_view *port = &protection->snapshot->ports[place];
	char address[PRINT_ADDR_LEN];

	if (port->port)
		json_number(json, "port", port->port);
	else
		json_string(json, "port", "other");
	json_bool(json, "listening", port->listening);
	for (unsigned counter = 0; counter < PORT_COUNTER_MAX; counter++)
		json_number(json, port_counters[counter].name, port_counter__of(port, counter));
	if (port->port) {
		json_number(json, "budget", port->budget);
		json_string(json, "challenge", port->challenge ? "auto" : "off");
		json_number(json, "stray_budget", port->stray_budget);
	}
	json_bool(json, "served", port->served);
	if (port->protected_by)
		json_string(json, "protected", port->protected_by == PROTECTED_AUTO ? "auto" : "named");
	else
		json_null(json, "protected");
	if (port->not_served_addr.halves[0] || port->not_served_addr.halves[1])
		json_string(json, "not_served_address", print_addr(address, &port->not_served_addr));
	json_bool(json, "armed", port->armed);
	json_bool(json, "armed_strays", port->armed_strays);
	json_bool(json, "under_attack", port->attack.under_attack);
	json_number(json, "syn_rate", port->attack.syn_rate);
	json_number(json, "distinct_sources", port->attack.sources);
	json_number(json, "completed_permille", port->attack.completed_permille);
	json_number(json, "challenges_unanswered", port->attack.unanswered);
	json_sentence(json, port);
	json_number(json, "clients", port->completed - port->own);
	json_number(json, "limited", port->limited);
	json_number(json, "over_budget", port->over_budget);
	if (port->recent.usual_millis)
		json_number(json, "usual_millis", port->recent.usual_millis);
	else
		json_null(json, "usual_millis");
	verdict__json_port(json, protection, place);
}

static bool is_moving(const struct protection *protection, size_t place)
{
	const struct port_view *port = &protection->snapshot->ports[place];
	enum protection_row row = protection->ports[place];

	return !place || !port->recent.seconds || port->recent.syns || port->recent.completed ||
	       port->recent.listen_drops || port->armed || port->armed_strays || port->half_open ||
	       port->accept_queue || (row != PROTECTION_ROW_MAX && protection__severity(row) == SEVERITY_CRITICAL);
}

static void json_ports(struct json *json, const struct protection *protection, enum summary_ports ports)
{
	json_array(json, "ports");
	for (size_t i = 0; i < protection->snapshot->port_count; i++) {
		if (ports == SUMMARY_MOVING_PORTS && !is_moving(protection, i))
			continue;
		json_item(json);
		json_port(json, protection, i);
		if (protection->snapshot->http)
			http_counters__json(json, "http", &protection->snapshot->ports[i].http);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_endings(struct json *json, const struct snapshot *s)
{
	json_array(json, "endings");
	for (unsigned i = ENDING_NONE + 1; i < ENDING_MAX; i++) {
		json_item(json);
		json_string(json, "reason", print_ending(i));
		json_number(json, "established", s->endings[0][i]);
		json_number(json, "never_established", s->endings[1][i]);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_handshakes(struct json *json, const struct snapshot *s)
{
	static const char *const roles[] = {[ROLE_CLIENT] = "client", [ROLE_SERVER] = "server"};

	json_object(json, "handshakes");
	for (unsigned role = ROLE_CLIENT; role < ROLE_MAX; role++) {
		json_object(json, roles[role]);
		json_number(json, "count", histogram__count(&s->handshakes[role]));
		json_micros(json, "p50_us", histogram__quantile(&s->handshakes[role], 0.5));
		json_micros(json, "p99_us", histogram__quantile(&s->handshakes[role], 0.99));
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void json_tallies(struct json *json, const struct snapshot *s)
{
	static const char *const names[] = {
#define X(name, json, ...) json,
		TALLIES(X)
#undef X
	};

	for (unsigned i = 0; i < TALLY_MAX; i++)
		json_number(json, names[i], s->tallies[i]);
}

static void put_lists(struct json *json, const struct snapshot *s)
{
	static const char *const names[LIST_SETS][LIST_MAX] = {{"allow", "block"}, {"fleet_allow", "fleet_block"}};

	json_array(json, "lists");
	for (int set = 0; set < LIST_SETS; set++)
		for (int list = 0; list < LIST_MAX && s->lists[set].capacity; list++) {
			json_item(json);
			json_string(json, "list", names[set][list]);
			json_number(json, "entries", list_set__entries(&s->lists[set], list));
			json_number(json, "capacity", s->lists[set].capacity);
			json_close(json, '}');
		}
	json_close(json, ']');
	json_number(json, "list_bytes",
		    list_set__bytes(&s->lists[LIST_SET_OWN]) + list_set__bytes(&s->lists[LIST_SET_FLEET]));
}

static void json_meta(struct json *json, const struct snapshot *s, bool running)
{
	char since[PRINT_TIME_LEN], time[PRINT_TIME_LEN], host[HOST_NAME_MAX + 1] = "";
	char version[sizeof(s->meta.version) + 1] = "";

	memcpy(version, s->meta.version, sizeof(s->meta.version));
	gethostname(host, sizeof(host) - 1);
	json_string(json, "host", host);
	json_string(json, "version", version);
	json_bool(json, "running", running);
	if (running)
		json_number(json, "pid", s->meta.pid);
	else
		json_null(json, "pid");
	json_string(json, "since", print_time(since, s->meta.since_ns));
	json_number(json, "monotonic_us", s->taken_ns / 1000);
	json_string(json, "time", print_time(time, s->taken_ns + clock__realtime_ahead()));
	json_bool(json, "dry_run", s->meta.dry_run);
	json_number(json, "source_limit", s->meta.source_limit);
	json_number(json, "port_budget", s->meta.port_budget);
	json_string(json, "challenge", s->meta.challenge == CHALLENGE_AUTO ? "auto" : "off");
	json_number(json, "stray_budget", s->meta.stray_budget);
	json_bool(json, "confined", running && s->meta.flags & META_CONFINED);
	json_bool(json, "sysctls_read_only", running && s->meta.flags & META_SYSCTLS_FIXED);
	json_bool(json, "http", running && s->meta.flags & META_HTTP);
	json_number(json, "endpoint_port", s->meta.endpoint_port);
	json_bool(json, "endpoint_waits", running && s->meta.flags & META_ENDPOINT_WAITS);
	json_number(json, "list_files_waiting", s->meta.waiting[LIST_ALLOW] + s->meta.waiting[LIST_BLOCK]);
	put_lists(json, s);
	json_array(json, "interfaces");
	for (size_t i = 0; i < s->meta.interfaces && i < META_INTERFACES; i++) {
		json_item(json);
		json_string(json, "name", s->meta.interface[i].name);
		json_string(json, "xdp_mode", summary__xdp_mode(&s->meta, i));
		json_close(json, '}');
	}
	json_close(json, ']');
}

void summary__json(FILE *out, const struct snapshot *s, bool running, enum summary_ports ports)
{
	char prefix[PRINT_PREFIX_LEN];
	struct protection protection;
	struct json json;

	protection__judge(&protection, s, running);
	json_begin(&json, out);
	json_meta(&json, s, running);
	verdict__json(&json, &protection);
	json_verdicts(&json, s);
	json_states(&json, s);
	json_transitions(&json, s);
	json_ports(&json, &protection, ports);
	if (s->http)
		http_counters__json(&json, "http_client", &s->http_client);
	json_array(&json, "limited_sources");
	for (size_t i = 0; i < s->source_count; i++) {
		json_item(&json);
		json_string(&json, "source", print_source(prefix, &s->sources[i].addr));
		json_number(&json, "dropped", s->sources[i].dropped);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_endings(&json, s);
	json_handshakes(&json, s);
	json_tallies(&json, s);
	json_object(&json, "lost");
	for (unsigned i = 0; i < LOSS_MAX; i++)
		json_number(&json, print_loss(i), s->losses[i]);
	json_close(&json, '}');
	json_end(&json);
}
