#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: asan-slow
#
# What `synwarden run` does with a connection, as a ladder shows it: blocked, challenged (seen from both ends), passed
# while the kernel answers with cookies of its own; of two ladders one gets the verdicts. The judges are tcpdump, `states --json`,
# and the frames that the other end receives. Which verdicts get there, how many, how long: tests/bpf/watches.c.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/ladder.sh
. "$ROOT/tests/lib/ladder.sh"

FROM=10.99.1.7

# rows_of LADDER: kind, verdict and reason of what the filter had a part in. Data that comes together with the last ACK of a
# handshake carries its cookie too.
rows_of() {
	jq -r 'select(.verdict) | "\(.kind) \(.flags | sort | join("+")) \(.verdict) \(.reason)"' "$1" | paste -sd,
}

has_rows() {
	[ "$(grep -c '"kind":"answered"' "$1")" -ge "$2" ]
}

fetch() {
	in_client curl -s --max-time 10 --interface $FROM -o /dev/null http://$SERVER_ADDR/
}

play_blocked() {
	in_server "$SYNWARDEN" block $FROM >/dev/null
	watch in_server --port 80
	start_in_server "$SYNWARDEN" ladder --port 80 --netns "/run/netns/$SERVER" --width 80 >"$TMP/second" 2>"$TMP/second.err"
	SECOND=$!
	wait_for grep -q waiting "$TMP/second.err"
	check_equal "a second ladder: it says which one has them" \
		"synwarden: the filter tells what it does to the ladder with pid $LADDER_in_server; here it is not shown" \
		"$(head -n1 "$TMP/second.err")"
	stop $SECOND
	start_in_client curl -s --max-time 10 --interface $FROM http://$SERVER_ADDR/
	CURL=$!
	check "blocked: the SYN is shown, and again" wait_for has_rows "$TMP/in_server.ladder" 2
	stop $CURL
	stop "$LADDER_in_server"
	check_equal "blocked: each is dropped, and by what" "answered SYN drop blocked" "$(rows_of "$TMP/in_server.ladder" | cut -d, -f1)"
	check_equal "blocked: the second is the first again" sent_again \
		"$(jq -r 'select(.kind == "answered") | .marks[]' "$TMP/in_server.ladder" | head -n1)"
	check_equal "blocked: nothing arrives at TCP" "" "$(segments_of "$TMP/in_server.ladder")"
	check_equal "blocked: the end counts what was dropped" "$(grep -c '"kind":"answered"' "$TMP/in_server.ladder")" \
		"$(jq -r 'select(.kind == "end") | .dropped' "$TMP/in_server.ladder")"
	in_server "$SYNWARDEN" unblock $FROM >/dev/null
}

# A ladder that was killed leaves the watch to nobody, until it ends; one that ends, at once.
play_text() {
	in_server "$SYNWARDEN" block $FROM >/dev/null
	start_in_server "$SYNWARDEN" ladder --port 80 --netns "/run/netns/$SERVER" --width 80 >"$TMP/in_server.ladder" 2>"$TMP/in_server.err"
	LADDER_in_server=$!
	wait_for grep -q waiting "$TMP/in_server.err"
	start_in_client curl -s --max-time 10 --interface $FROM http://$SERVER_ADDR/
	CURL=$!
	wait_for grep -q blocked "$TMP/in_server.ladder"
	stop $CURL
	stop "$LADDER_in_server"
	check_equal "text: no other ladder has the watch" "" "$(grep pid "$TMP/in_server.err")"
	check "text: a star stands where the filter does" grep -qE '\|<\* SYN seq=y -+\| ~SYN_SENT$' "$TMP/in_server.ladder"
	check "text: what it did stands below" grep -qF '^ synwarden drops it: blocked' "$TMP/in_server.ladder"
	check "text: the last line counts it" grep -qE '^never answered; [0-9]+ segments?,.* [0-9]+ dropped here' "$TMP/in_server.ladder"
	in_server "$SYNWARDEN" unblock $FROM >/dev/null
}

# Under a flood that the port's budget does not hold: from where a SYN gets a cookie, and then past the challenge.
play_challenged() {
	begin_both_from
	fetch
	end_both
	check_equal "challenged: the SYN, its answer, and the answer to that" \
		"answered SYN challenge challenged,answered ACK+SYN challenge challenged,segment ACK pass cookie_ack" \
		"$(rows_of "$TMP/in_server.ladder" | cut -d, -f1-3)"
	check_equal "challenged: the cookie is the number of the SYN-ACK that the client gets" \
		"$(jq -r 'select(.dir == "in" and .flags == ["SYN","ACK"]) | .seq' "$TMP/in_client.ladder")" \
		"$(jq -r 'select(.syn_cookie) | .syn_cookie' "$TMP/in_server.ladder")"
	check_equal "challenged: the client sees all that the server shows" "$(numbers_of "$TMP/in_client.ladder")" \
		"$(jq -r 'select(.seq) | [.seq, .ack // 0, .len] | join(" ")' "$TMP/in_server.ladder")"
	check_judges "challenged" in_client
	check_equal "challenged, in_server: the states are those of states --json" \
		"$(told_of "$TMP/in_server.states" "$(cookie_of "$TMP/in_server.ladder")")" "$(states_of "$TMP/in_server.ladder")"
}

# The source is verified by now: its SYN passes, and the kernel answers with a cookie, as tcp_syncookies is 2.
play_kernel_cookie() {
	begin_both_from
	fetch
	end_both
	check_equal "the kernel's cookie: the filter passes SYN and ACK" "segment SYN pass verified,segment ACK pass cookie_ack" \
		"$(rows_of "$TMP/in_server.ladder" | cut -d, -f1-2)"
	check_judges "the kernel's cookie" in_client
	check_judges "the kernel's cookie" in_server
}

begin_both_from() {
	local side
	for side in in_server in_client; do
		judge $side
		watch $side --port 80 --addr $FROM
	done
}

net_up
start_nginx
start_synwarden --protect 80 --port-budget 100
play_blocked
play_text
exhaust_budget
start_in_client "$FLOOD" -x -q -s 0 -r 500 -c 1000000000 -t 60 c0 "$(mac in_server s0)" $SERVER_ADDR
FLOODER=$!
armed() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = 2 ]
}
wait_for armed || die "the port is not armed"
play_challenged
play_kernel_cookie
stop $FLOODER
stop_synwarden
finish
