/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of protection: of each listening port that clients can reach, and of the host. One function makes it of a
 * snapshot; status, JSON, metrics, the dashboard, `top`, the journal and `doctor` show what it says.
 *
 * It says that clients connect only where handshakes of clients completed, and leaves out connections of this host with
 * itself, and listeners that are bound to a loopback address.
 */
#ifndef SYNWARDEN_OUTPUT_PROTECTION_H
#define SYNWARDEN_OUTPUT_PROTECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "kernel/snapshot.h"

/* Rows: enum name, name, what it means. */
#define PROTECTION_STATES(X)                                                                                           \
	X(PROTECTED, "protected", "SYNs over the budget would be challenged")                                          \
	X(NOT_PROTECTED, "not_protected", "a flood would get through, or gets through")                                \
	X(ATTACKED_HELD_OFF, "attacked_held_off", "under attack, and the flood is challenged or dropped")              \
	X(ATTACKED_NOT_FILTERED, "attacked_not_filtered", "under attack, and a part of the flood passes")              \
	X(CLIENTS_TURNED_AWAY, "clients_turned_away", "clients ask, and do not get in")                                \
	X(GONE, "gone", "no interface is left to filter")                                                              \
	X(UNKNOWN, "unknown", "nobody watches: no run is alive")

enum protection_state {
#define X(name, ...) PROTECTION_##name,
	PROTECTION_STATES(X)
#undef X
		PROTECTION_STATE_MAX,
};

/* Exit codes of `status --check`, as Nagios plug-ins have them. */
#define SEVERITIES(X)                                                                                                  \
	X(FINE, "fine")                                                                                                \
	X(WARNING, "warning")                                                                                          \
	X(CRITICAL, "critical")                                                                                        \
	X(UNKNOWN, "unknown")

enum severity {
#define X(name, ...) SEVERITY_##name,
	SEVERITIES(X)
#undef X
		SEVERITY_MAX,
};

/* A line for the configuration file, above every [port N] section. */
#define FIX_SET(line)	 "sed -i '1i " line "' " CONFIG_FILE " && systemctl reload synwarden"
#define FIX_UNSET(key)	 "sed -i '/^ *" key "/d' " CONFIG_FILE " && systemctl reload synwarden"
#define FIX_LOOK(filter) "ss -ltnp '" filter "'"

/*
 * Why a port or the host is in its state, worst first: where several rows hold, the first one counts. Rows: enum name,
 * state, reason ("": none), severity, sentence, the command that fixes it or shows more ("": none). In the last two,
 * words in braces stand for what protection_text.c has for them.
 */
#define PROTECTION_ROWS(X)                                                                                             \
	X(ALL_GONE, GONE, "", CRITICAL, "not filtered: {gone}; nothing is filtered", "ip link")                        \
	X(ATTACK_DRY_RUN, NOT_PROTECTED, "dry_run", CRITICAL,                                                          \
	  "port {port} is under SYN attack in a dry run: all {syns} SYN/s reach it", FIX_UNSET("dry-run"))             \
	X(ATTACK_NOT_SERVED, ATTACKED_NOT_FILTERED, "not_served", CRITICAL,                                            \
	  "port {port} is under SYN attack and not filtered: {not_served} of {syns} SYN/s pass, as their address is "  \
	  "not known to be served here",                                                                               \
	  FIX_SET("protect = {port}"))                                                                                 \
	X(ATTACK_NO_COOKIE, NOT_PROTECTED, "no_cookie", CRITICAL,                                                      \
	  "port {port} is under SYN attack, and SYN cookies cannot be forced: /proc/sys is read-only for synwarden",   \
	  "sysctl -w net.ipv4.tcp_syncookies=2")                                                                       \
	X(ATTACK_PASSES, ATTACKED_NOT_FILTERED, "passed", CRITICAL,                                                    \
	  "port {port} is under SYN attack, and {passed} of {syns} SYN/s pass", "synwarden status")                    \
	X(INTERFACE_GONE, NOT_PROTECTED, "interface_not_filtered", CRITICAL,                                           \
	  "not filtered: {gone}; all that comes in there passes", "ip link")                                           \
	X(QUEUE_FULL, CLIENTS_TURNED_AWAY, "accept_queue_full", CRITICAL,                                              \
	  "an accept queue of port {port} is full ({queue} of {limit}, over all its listeners)",                       \
	  FIX_LOOK("sport = :{port}"))                                                                                 \
	X(MANY_COOKIES_LOST, CLIENTS_TURNED_AWAY, "firewall", CRITICAL,                                                \
	  "port {port}: {answered} clients answered their challenge in {seconds} s, and only {completed} connected: "  \
	  "a firewall drops what it did not see begin",                                                                \
	  "nft list ruleset")                                                                                          \
	X(MANY_LIMITED, CLIENTS_TURNED_AWAY, "source_limit", CRITICAL,                                                 \
	  "port {port}: the source limit drops {limited} of {syns} SYN/s; {source} is the most limited source of all " \
	  "ports",                                                                                                     \
	  "synwarden status")                                                                                          \
	X(MANY_OVER_BUDGET, CLIENTS_TURNED_AWAY, "port_budget", CRITICAL,                                              \
	  "port {port}: {over_budget} of {syns} SYN/s are dropped over the budget of {budget}, unchallenged",          \
	  FIX_UNSET("challenge"))                                                                                      \
	X(FEWER_CLIENTS, CLIENTS_TURNED_AWAY, "fewer_than_usual", CRITICAL,                                            \
	  "port {port} is under SYN attack: {clients} clients/s connect, of {usual}/s as a rule", "synwarden doctor")  \
	X(COOKIES_LOST, CLIENTS_TURNED_AWAY, "firewall", WARNING,                                                      \
	  "port {port}: {answered} clients answered their challenge in {seconds} s, and only {completed} connected: "  \
	  "a firewall drops what it did not see begin",                                                                \
	  "nft list ruleset")                                                                                          \
	X(LISTENER_DROPS, CLIENTS_TURNED_AWAY, "listener_drops", WARNING,                                              \
	  "port {port}: its listeners dropped {listen_drops} SYNs and last ACKs in {seconds} s, and {completed} "      \
	  "clients "                                                                                                   \
	  "connected: an accept queue is full at times",                                                               \
	  FIX_LOOK("sport = :{port}"))                                                                                 \
	X(LIMITED, CLIENTS_TURNED_AWAY, "source_limit", WARNING,                                                       \
	  "port {port}: the source limit drops {limited} of {syns} SYN/s; {source} is the most limited source of all " \
	  "ports",                                                                                                     \
	  "synwarden status")                                                                                          \
	X(OVER_BUDGET, CLIENTS_TURNED_AWAY, "port_budget", WARNING,                                                    \
	  "port {port}: {over_budget} of {syns} SYN/s are dropped over the budget of {budget}, unchallenged",          \
	  FIX_UNSET("challenge"))                                                                                      \
	X(HELD_OFF, ATTACKED_HELD_OFF, "", WARNING,                                                                    \
	  "port {port} is under SYN attack, held off: {syns} SYN/s; {answered} challenged clients answered in "        \
	  "{seconds} s, {completed} clients connected",                                                                \
	  "synwarden top")                                                                                             \
	X(PORTS_FULL, NOT_PROTECTED, "table_full", WARNING,                                                            \
	  "{unslotted} listening ports have no budget: the table of ports is full", "ss -ltn")                         \
	X(SERVED_FULL, NOT_PROTECTED, "table_full", WARNING,                                                           \
	  "the table of served addresses is full: a flood to further ones would pass", "synwarden help losses")        \
	X(DRY_RUN, NOT_PROTECTED, "dry_run", WARNING, "dry run: nothing is filtered", FIX_UNSET("dry-run"))            \
	X(NOT_SERVED, NOT_PROTECTED, "not_served", WARNING,                                                            \
	  "port {port} is not known to be served here, as no client has connected yet: a flood to it would pass",      \
	  FIX_SET("protect = {port}"))                                                                                 \
	X(NO_COOKIE, NOT_PROTECTED, "no_cookie", WARNING,                                                              \
	  "SYN cookies cannot be forced: /proc/sys is read-only for synwarden", "sysctl -w net.ipv4.tcp_syncookies=2") \
	X(NO_RUN, UNKNOWN, "", UNKNOWN, "no run is alive: the filter works on, and nobody watches what it does",       \
	  "systemctl start synwarden")                                                                                 \
	X(NO_BUDGET, NOT_PROTECTED, "no_budget", FINE, "port {port} has no budget: all its SYNs pass", "")             \
	X(BUSY, PROTECTED, "", FINE, "port {port} is over its budget, and its clients connect: {clients}/s", "")       \
	X(WORKS, PROTECTED, "", FINE, "port {port} is protected; {clients} clients/s connect", "")                     \
	X(QUIET, PROTECTED, "", FINE, "port {port} is protected; no client connected in the last {seconds} s", "")     \
	X(ALL_WORK, PROTECTED, "", FINE, "listening ports: {ports}; {all_clients} clients/s connect", "")              \
	X(ALL_QUIET, PROTECTED, "", FINE, "listening ports: {ports}; no client connected in the last {seconds} s", "") \
	X(ALL_PASS, NOT_PROTECTED, "no_budget", FINE, "listening ports: {ports}; none has a budget: all SYNs pass",    \
	  "")                                                                                                          \
	X(NOTHING, PROTECTED, "", FINE, "no port listens that a client could reach", "")

enum protection_row {
#define X(name, ...) PROTECTION_ROW_##name,
	PROTECTION_ROWS(X)
#undef X
		PROTECTION_ROW_MAX, /* of a port: it is not judged, as no client can reach it */
};

struct protection {
	const struct snapshot *snapshot;
	enum protection_row host;	      /* the worst of all */
	size_t port;			      /* in snapshot->ports, the one that `host` is about; 0: none alone */
	enum protection_row ports[MAX_PORTS]; /* as snapshot->ports */
};

#define PROTECTION_TEXT_LEN 320

/* `running`: a `run` is alive, and so the snapshot's numbers are of now. Keeps a pointer to the snapshot. */
void protection__judge(struct protection *protection, const struct snapshot *snapshot, bool running);

const char *protection__state_name(enum protection_state state);
const char *protection__severity_name(enum severity severity);
enum protection_state protection__state(enum protection_row row);
const char *protection__reason(enum protection_row row); /* NULL: none */
enum severity protection__severity(enum protection_row row);

/* Of a row, and the port at this place of snapshot->ports; 0: none. Both return buf; the fix is NULL where there is
 * none. */
const char *protection__sentence(char buf[PROTECTION_TEXT_LEN], const struct protection *protection,
				 enum protection_row row, size_t port);
const char *protection__fix(char buf[PROTECTION_TEXT_LEN], const struct protection *protection, enum protection_row row,
			    size_t port);

#endif
