// SPDX-License-Identifier: GPL-2.0-only
/*
 * The summary as one JSON object.
 */
#include <string.h>

#include "attack.h"
#include "print.h"
#include "summary.h"

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

/* Those that were seen. */
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

/* What is said of a port that is armed. */
static void json_sentence(struct json *json, const struct port_view *port)
{
	char text[ATTACK_SENTENCE_LEN];

	if (port->armed)
		json_string(json, "sentence", attack__sentence(text, port));
	else
		json_null(json, "sentence");
}

static void json_ports(struct json *json, const struct snapshot *s)
{
	json_array(json, "ports");
	for (size_t i = 0; i < s->port_count; i++) {
		json_item(json);
		if (s->ports[i].port)
			json_number(json, "port", s->ports[i].port);
		else
			json_string(json, "port", "other");
		json_bool(json, "listening", s->ports[i].listening);
		json_number(json, "syns", s->ports[i].syns);
		json_number(json, "passed", s->ports[i].passed);
		json_number(json, "challenged", s->ports[i].challenged);
		json_number(json, "answered", s->ports[i].answered);
		json_number(json, "dropped", s->ports[i].dropped);
		json_number(json, "completed", s->ports[i].completed);
		json_number(json, "aborted", s->ports[i].aborted);
		json_number(json, "listen_drops", s->ports[i].listen_drops);
		json_number(json, "synack_retransmits", s->ports[i].synack_retransmits);
		json_number(json, "half_open", s->ports[i].half_open);
		json_number(json, "accept_queue", s->ports[i].accept_queue);
		json_number(json, "accept_limit", s->ports[i].accept_limit);
		json_number(json, "accept_full", s->ports[i].accept_full);
		if (s->ports[i].port) {
			json_number(json, "budget", s->ports[i].budget);
			json_string(json, "challenge", s->ports[i].challenge ? "auto" : "off");
		}
		json_bool(json, "armed", s->ports[i].armed);
		json_bool(json, "under_attack", s->ports[i].attack.under_attack);
		json_number(json, "syn_rate", s->ports[i].attack.syn_rate);
		json_number(json, "distinct_sources", s->ports[i].attack.sources);
		json_number(json, "completed_permille", s->ports[i].attack.completed_permille);
		json_number(json, "challenges_unanswered", s->ports[i].attack.unanswered);
		json_sentence(json, &s->ports[i]);
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
	json_number(json, "resets_sent", s->tallies[TALLY_RESETS_SENT]);
	json_number(json, "resets_received", s->tallies[TALLY_RESETS_RECEIVED]);
	json_number(json, "syn_retransmits", s->tallies[TALLY_SYN_RETRANSMITS]);
	json_number(json, "synack_retransmits", s->tallies[TALLY_SYNACK_RETRANSMITS]);
	json_number(json, "segment_retransmits", s->tallies[TALLY_SEGMENT_RETRANSMITS]);
}

static void json_meta(struct json *json, const struct snapshot *s, bool running)
{
	char since[PRINT_TIME_LEN], version[sizeof(s->meta.version) + 1] = "";

	memcpy(version, s->meta.version, sizeof(s->meta.version));
	json_string(json, "version", version);
	json_bool(json, "running", running);
	if (running)
		json_number(json, "pid", s->meta.pid);
	else
		json_null(json, "pid");
	json_string(json, "since", print_time(since, s->meta.since_ns));
	json_number(json, "monotonic_us", s->taken_ns / 1000);
	json_bool(json, "dry_run", s->meta.dry_run);
	json_number(json, "source_limit", s->meta.source_limit);
	json_number(json, "port_budget", s->meta.port_budget);
	json_string(json, "challenge", s->meta.challenge ? "auto" : "off");
	json_array(json, "interfaces");
	for (size_t i = 0; i < s->meta.interfaces && i < META_INTERFACES; i++) {
		json_item(json);
		json_string(json, "name", s->meta.interface[i].name);
		json_string(json, "xdp_mode", summary__xdp_mode(&s->meta, i));
		json_close(json, '}');
	}
	json_close(json, ']');
}

void summary__json(FILE *out, const struct snapshot *s, bool running)
{
	char prefix[PRINT_PREFIX_LEN];
	struct json json;

	json_begin(&json, out);
	json_meta(&json, s, running);
	json_verdicts(&json, s);
	json_states(&json, s);
	json_transitions(&json, s);
	json_ports(&json, s);
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
	json_object(&json, "lost");
	for (unsigned i = 0; i < LOSS_MAX; i++)
		json_number(&json, print_loss(i), s->losses[i]);
	json_close(&json, '}');
	json_end(&json);
}
