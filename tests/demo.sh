#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make demo`: three acts on a test network of its own (drawn in tests/lib/network.sh): a request followed through its
# states and its segments; a SYN flood from random sources against an unprotected web server; the same flood with
# `synwarden run`, from arming to release. Takes under a minute, leaves nothing behind, also on Ctrl-C, and fails if act 3
# does not serve every client.
set -u
# shellcheck source=tests/lib/network.sh
. "$(dirname "$0")/lib/network.sh"

FLOOD_RATE=50000 # SYN/s, each from a random address
CLIENTS=100

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() {
	printf '  %s\n' "$@"
}

# Indents what a command printed.
show() {
	sed 's/^/    /'
}

# clients FIRST: CLIENTS of them, ten at a time, each from an address of its own, from 10.99.1.FIRST on. Leaves a file of
# "STATUS SECONDS_TO_CONNECT" lines in $TMP/clients; status 000: no connection.
clients() {
	seq "$1" $(($1 + CLIENTS - 1)) | in_client xargs -P 10 -I '{}' curl -s -o /dev/null --connect-timeout 1 \
		--max-time 2 --interface '10.99.1.{}' -w '%{http_code} %{time_connect}\n' "http://$SERVER_ADDR/" \
		>"$TMP/clients"
}

served() {
	grep -c '^200 ' "$TMP/clients"
}

slowest_ms() {
	awk '$1 == 200 && $2 > max { max = $2 } END { printf "%.1f", max * 1000 }' "$TMP/clients"
}

# Runs until stop_flood.
start_flood() {
	start_in_client "$FLOOD" -r $FLOOD_RATE -c 3000000 -t 30 -s 0 c0 "$(mac in_server s0)" "$SERVER_ADDR" \
		>"$TMP/flood"
	flood=$!
	sleep 1
}

stop_flood() {
	stop "$flood"
	say "The flood: $(jq -r '"\(.sent) SYNs in \(.seconds) s"' "$TMP/flood")."
}

half_open() {
	in_server ss -Htn state syn-recv | wc -l
}

followed() {
	grep -q following "$TMP/states.err"
}

watched() {
	grep -q waiting "$TMP/ladder.err"
}

released() {
	grep -q released "$TMP/run.err"
}

prepare() {
	net_up
	in_server sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=512
	start_nginx
}

act_1() {
	title "Act 1: one request, followed through its states and segments"
	say "synwarden states --port 80 --addr 10.99.1.1" "curl --interface 10.99.1.1 http://$SERVER_ADDR/"
	start "$SYNWARDEN" states --port 80 --addr 10.99.1.1 --count 10 --duration 5 >"$TMP/states" 2>"$TMP/states.err"
	states=$!
	start "$SYNWARDEN" ladder --port 80 --netns "/run/netns/$CLIENT" --width 80 --duration 5 \
		>"$TMP/ladder" 2>"$TMP/ladder.err"
	ladder=$!
	wait_for followed || die "synwarden states does not start: $(cat "$TMP/states.err")"
	wait_for watched || die "synwarden ladder does not start: $(cat "$TMP/ladder.err")"
	in_client curl -s -o /dev/null --interface 10.99.1.1 "http://$SERVER_ADDR/"
	wait "$states"
	show <"$TMP/states"
	say "" "The client's end, segment by segment: synwarden ladder --port 80 --netns $CLIENT"
	wait "$ladder"
	show <"$TMP/ladder"
}

act_2() {
	title "Act 2: a SYN flood, unprotected"
	say "$FLOOD_RATE SYN/s from random addresses; $CLIENTS clients that the server has never seen send a request."
	start_flood
	say "Half-open connections at the server: $(half_open)."
	clients 10
	stop_flood
	unprotected=$(served)
	say "${bold}Served: $unprotected of $CLIENTS clients.$plain"
	# The half-open connections would outlive the flood, and even nginx, by a minute.
	stop "$NGINX"
	net_down
}

act_3() {
	title "Act 3: the same flood, with synwarden run s0"
	prepare
	take_replies
	start_synwarden s0
	in_client curl -s -o /dev/null --interface 10.99.1.1 "http://$SERVER_ADDR/" # the port is known as served from now on
	start_flood
	clients 110
	sleep 2
	say "Half-open connections at the server: $(half_open)." "synwarden status:"
	in_server "$SYNWARDEN" status | head -4 | show
	stop_flood
	protected=$(served)
	say "${bold}Served: $protected of $CLIENTS clients; the slowest connected in $(slowest_ms) ms.$plain"
	title "curl http://127.0.0.1:9798/metrics (what is not 0)"
	in_server curl -s http://127.0.0.1:9798/metrics |
		grep -E '^synwarden_(packets_total|syns_total|handshakes_total|events_lost_total)' | grep -v ' 0$' | show
	say "Waiting for the release: ten seconds under half the budget."
	wait_for released || die "port 80 was not released: $(cat "$TMP/run.err")"
	show <"$TMP/run.err"
	stop_synwarden
	title "What synwarden run printed: a line a second, then its summary"
	show <"$TMP/run.out"
}

title "The stage"
say "Two network namespaces, joined by a veth: a server ($SERVER_ADDR, nginx) and its clients." \
	"The server's SYN cookies are off; its SYN backlog holds 512 half-open connections."
prepare
act_1
act_2
act_3
title "Served under $FLOOD_RATE SYN/s: $unprotected of $CLIENTS clients without synwarden, $protected of $CLIENTS with it."
[ "$protected" = "$CLIENTS" ]
